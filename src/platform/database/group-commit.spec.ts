import { DatabaseError } from 'pg';
import { GroupCommit } from './group-commit';

/** A flush that ends when the test says so, as a statement does when the database answers. */
class Flushes {
  readonly batches: number[][] = [];
  private readonly open: { resolve: (results: string[]) => void; reject: (error: Error) => void }[] = [];

  readonly flush = (items: number[]): Promise<string[]> => {
    this.batches.push(items);
    return new Promise((resolve, reject) => this.open.push({ resolve, reject }));
  };

  /** Commits the batch of that number. */
  commit(batch: number): Promise<void> {
    this.open[batch]?.resolve((this.batches[batch] ?? []).map((item) => `row ${item}`));
    return settle();
  }

  fail(batch: number, error: Error): Promise<void> {
    this.open[batch]?.reject(error);
    return settle();
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function failure(code: string): DatabaseError {
  const error = new DatabaseError(`SQLSTATE ${code}`, 0, 'error');
  error.code = code;
  return error;
}

describe('GroupCommit', () => {
  let flushes: Flushes;

  beforeEach(() => {
    flushes = new Flushes();
  });

  it('lets the first row wait for nobody and gathers what comes while two statements are on their way', async () => {
    const commits = new GroupCommit({ flush: flushes.flush });
    const added = Promise.all([1, 2, 3, 4, 5].map((item) => commits.add(item)));
    expect(flushes.batches).toEqual([[1], [2]]);
    await flushes.commit(0);
    expect(flushes.batches).toEqual([[1], [2], [3, 4, 5]]);
    await flushes.commit(1);
    await flushes.commit(2);
    expect(await added).toEqual(['row 1', 'row 2', 'row 3', 'row 4', 'row 5']);
  });

  it('answers nobody before the commit of his row, and each with his own result', async () => {
    const commits = new GroupCommit({ flush: flushes.flush, maxInFlight: 1 });
    const answered: string[] = [];
    const added = [1, 2, 3].map((item) => commits.add(item).then((result) => answered.push(result)));
    await settle();
    expect(answered).toEqual([]);
    await flushes.commit(0);
    expect(answered).toEqual(['row 1']);
    await flushes.commit(1);
    await Promise.all(added);
    expect(answered).toEqual(['row 1', 'row 2', 'row 3']);
  });

  it('puts no more rows into a statement than it may', async () => {
    const commits = new GroupCommit({ flush: flushes.flush, maxInFlight: 1, maxItems: 2 });
    const added = Promise.all([1, 2, 3, 4].map((item) => commits.add(item)));
    await flushes.commit(0);
    await flushes.commit(1);
    await flushes.commit(2);
    expect(flushes.batches).toEqual([[1], [2, 3], [4]]);
    await added;
  });

  it.each(['22021', '23505', '23514'])(
    'lets a bad row (%s) fail alone: the others are written one by one',
    async (code) => {
      const commits = new GroupCommit<number, string>({
        maxInFlight: 1,
        flush: async (items) => {
          flushes.batches.push(items);
          if (items.includes(3)) throw failure(code);
          return items.map((item) => `row ${item}`);
        },
      });
      const results = await Promise.allSettled([1, 2, 3, 4].map((item) => commits.add(item)));
      expect(results.map((result) => (result.status === 'fulfilled' ? result.value : 'failed'))).toEqual([
        'row 1',
        'row 2',
        'failed',
        'row 4',
      ]);
      expect(flushes.batches).toEqual([[1], [2, 3, 4], [2], [3], [4]]);
    },
  );

  it.each(['40P01', '40001'])('writes a batch again that the database rolled back (%s)', async (code) => {
    const commits = new GroupCommit({ flush: flushes.flush });
    const added = commits.add(1);
    await flushes.fail(0, failure(code));
    await flushes.fail(1, failure(code));
    await flushes.commit(2);
    expect(await added).toBe('row 1');
  });

  it('gives up a batch that is rolled back for ever, after four writes', async () => {
    const commits = new GroupCommit<number, string>({
      flush: async (items) => {
        flushes.batches.push(items);
        throw failure('40P01');
      },
    });
    await expect(commits.add(1)).rejects.toMatchObject({ code: '40P01' });
    expect(flushes.batches).toHaveLength(4);
  });

  it('fails all of a batch when the database is away: nothing is tried twice that may have been written', async () => {
    const commits = new GroupCommit({ flush: flushes.flush, maxInFlight: 1 });
    const added = [1, 2, 3].map((item) => commits.add(item).catch((error: Error) => error.message));
    await flushes.commit(0);
    await flushes.fail(1, new Error('Connection terminated unexpectedly'));
    expect(await Promise.all(added)).toEqual(['row 1', ...Array<string>(2).fill('Connection terminated unexpectedly')]);
    expect(flushes.batches).toHaveLength(2);
    const later = commits.add(4);
    await flushes.commit(2);
    expect(await later).toBe('row 4');
  });

  it('drains when nothing waits any more, and at once when nothing does', async () => {
    const commits = new GroupCommit({ flush: flushes.flush, maxInFlight: 1 });
    await commits.drain();
    const added = Promise.all([1, 2].map((item) => commits.add(item)));
    let drained = false;
    const draining = commits.drain().then(() => (drained = true));
    await flushes.commit(0);
    expect(drained).toBe(false);
    await flushes.commit(1);
    await draining;
    await added;
  });
});
