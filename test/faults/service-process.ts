import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { eventually } from '../support/wait';

const READY_TIMEOUT_MS = 60_000;
/** What is shown of the output of a process when a test fails. */
const TAIL_CHARACTERS = 8_000;

/** How a process of the service is started, each time anew. */
export interface ServiceCommand {
  /** What Node runs. */
  script: string;
  /** Working directory; one without an .env of its own. */
  folder: string;
  /** The whole environment but PATH; PORT must be a port of its own, so that it is the same after a restart. */
  variables: Record<string, string> & { PORT: string };
}

/** The service as a process of its own, which may die at any line and be started again. */
export class ServiceProcess {
  readonly url: string;
  private child: ChildProcess | undefined;
  private output = '';

  constructor(private readonly command: ServiceCommand) {
    this.url = `http://127.0.0.1:${command.variables.PORT}`;
  }

  /** Of the process at the moment. */
  get pid(): number {
    const pid = this.child?.pid;
    if (pid === undefined) throw new Error('The service was never started');
    return pid;
  }

  get isRunning(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** The end of what all its processes printed. */
  get tail(): string {
    return this.output.slice(-TAIL_CHARACTERS);
  }

  /** Starts a process and resolves when it is ready for traffic; fails when it ends instead. */
  async start(): Promise<void> {
    const { script, folder, variables } = this.command;
    const child = spawn(process.execPath, [script], {
      cwd: folder,
      // Nobody's port unless a test names one: services of specs that run side by side must not meet on the usual one.
      env: { PATH: process.env.PATH, GATEWAY_PORT: '0', ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // a group of its own, so that Ctrl-C can be played
    });
    this.child = child;
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output = (this.output + text).slice(-200_000)));
    const ready = async () => !this.isRunning || (await fetch(`${this.url}/ready`)).status === 200;
    await eventually(ready, { timeoutMs: READY_TIMEOUT_MS, what: 'the service to be ready' });
    if (!this.isRunning) throw new Error('The service ended instead of getting ready');
  }

  /** Ends it as a crash does; resolves when it is gone. */
  async kill(): Promise<void> {
    if (!this.child || !this.isRunning) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }

  /** Freezes it, as a machine that is swapping or was put to sleep does. */
  freeze(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  /** Lets it go on where it was. */
  thaw(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** What a supervisor sends. Answers the exit code once the process is gone. */
  terminate(): Promise<number | null> {
    return this.end((pid) => process.kill(pid, 'SIGTERM'));
  }

  /** What a terminal sends: to the whole group. Answers the exit code once the process is gone. */
  interrupt(): Promise<number | null> {
    return this.end((pid) => process.kill(-pid, 'SIGINT'));
  }

  private async end(signal: (pid: number) => void): Promise<number | null> {
    if (!this.child || !this.isRunning) throw new Error('The service does not run');
    const gone = once(this.child, 'exit') as Promise<[number | null]>;
    signal(this.pid);
    return (await gone)[0];
  }
}
