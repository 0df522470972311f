import { DatabaseError } from 'pg';
import { rerun } from './rerun';

const ofCode = (code: string): DatabaseError => Object.assign(new DatabaseError('', 0, 'error'), { code });

/** Fails with these codes, one after the other, and is done then; counts how often it was called. */
function failing(...codes: string[]) {
  const work = { calls: 0, run: () => Promise.resolve('done') };
  work.run = async () => {
    const code = codes[work.calls];
    work.calls += 1;
    if (code) throw ofCode(code);
    return 'done';
  };
  return work;
}

describe('rerun', () => {
  it('does the work again where the database rolled it back', async () => {
    const work = failing('40P01', '40001', '40P01');
    expect(await rerun(work.run)).toBe('done');
    expect(work.calls).toBe(4);
  });

  it('gives up after the fourth time', async () => {
    const work = failing('40P01', '40P01', '40P01', '40P01', '40P01');
    await expect(rerun(work.run)).rejects.toMatchObject({ code: '40P01' });
    expect(work.calls).toBe(4);
  });

  it('does nothing twice that failed otherwise, or may have been done', async () => {
    for (const code of ['23505', '57P01', '08006']) {
      const work = failing(code);
      await expect(rerun(work.run)).rejects.toMatchObject({ code });
      expect(work.calls).toBe(1);
    }
  });
});
