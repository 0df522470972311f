import { Periodic } from './periodic';

const HOUR = 3_600_000;

/** A task whose rounds end when the test says so. */
class Task {
  begun = 0;
  atOnce = 0;
  mostAtOnce = 0;
  readonly errors: unknown[] = [];
  private readonly ends: ((error?: Error) => void)[] = [];

  loop(everyMs: number): Periodic {
    return new Periodic({ everyMs, run: () => this.run(), onError: (error) => this.errors.push(error) });
  }

  /** Ends the round that is running. */
  end(error?: Error): void {
    this.ends.shift()?.(error);
  }

  private run(): Promise<void> {
    this.begun += 1;
    this.atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce);
    return new Promise((resolve, reject) =>
      this.ends.push((error) => {
        this.atOnce -= 1;
        if (error) reject(error);
        else resolve();
      }),
    );
  }
}

describe('Periodic', () => {
  let task: Task;
  let loop: Periodic;

  beforeEach(() => {
    jest.useFakeTimers();
    task = new Task();
  });

  afterEach(async () => {
    const stopped = loop.stop();
    task.end();
    await stopped;
    jest.useRealTimers();
  });

  const rounds = async (n: number) => {
    await jest.advanceTimersByTimeAsync(10);
    expect(task.begun).toBe(n);
  };
  const quiet = async () => {
    const { begun } = task;
    await jest.advanceTimersByTimeAsync(HOUR / 2);
    expect(task.begun).toBe(begun);
  };

  it('runs at once when it starts, once however often it is started, and again after a while', async () => {
    loop = task.loop(5);
    loop.start();
    loop.start();
    await rounds(1);
    task.end();
    await rounds(2);
    task.end();
    await rounds(3);
    expect(task.mostAtOnce).toBe(1);
  });

  it('does not run before it is started, nor when it is nudged then', async () => {
    loop = task.loop(1);
    loop.nudge();
    await quiet();
    expect(task.begun).toBe(0);
  });

  it('runs at once when it is nudged', async () => {
    loop = task.loop(HOUR);
    loop.start();
    await rounds(1);
    task.end();
    await quiet();
    loop.nudge();
    await rounds(2);
  });

  it('that is nudged while it runs runs once more, however often it was nudged', async () => {
    loop = task.loop(HOUR);
    loop.start();
    await rounds(1);
    for (let i = 0; i < 5; i += 1) loop.nudge();
    await quiet();
    task.end();
    await rounds(2);
    task.end();
    await quiet();
    expect([task.begun, task.mostAtOnce]).toEqual([2, 1]);
  });

  it('goes on after a round that failed, and reports it', async () => {
    loop = task.loop(1);
    loop.start();
    await rounds(1);
    task.end(new Error('mine'));
    await rounds(2);
    expect(task.errors).toEqual([new Error('mine')]);
  });

  it('that is stopped waits for its round, and begins no other', async () => {
    loop = task.loop(1);
    loop.start();
    await rounds(1);
    loop.nudge();
    let stopped = false;
    const stopping = loop.stop().then(() => (stopped = true));
    await quiet();
    expect(stopped).toBe(false);
    task.end();
    await stopping;
    loop.nudge();
    await quiet();
    expect(task.begun).toBe(1);
  });

  it('can be started again', async () => {
    loop = task.loop(HOUR);
    loop.start();
    await rounds(1);
    const stopping = loop.stop();
    task.end();
    await stopping;
    loop.start();
    await rounds(2);
  });
});
