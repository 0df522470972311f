import { isRollback } from './database-error';

const MAX_ROLLBACKS = 3;

/**
 * Does the work, and again where the database rolled it back for concurrency (a deadlock, of which one side must give way):
 * then nothing of it is stored. The work is one statement or transaction.
 * @throws what it throws otherwise, and the roll-back once it has come four times
 */
export async function rerun<T>(work: () => Promise<T>): Promise<T> {
  for (let rollbacks = 0; ; rollbacks += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isRollback(error) || rollbacks >= MAX_ROLLBACKS) throw error;
    }
  }
}
