import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';

/** A file that somebody deletes. */
export interface GoingFile {
  actor: Actor;
  fileId: string;
}

/** Within the transaction that deletes the file, which is held: takes it away from what shows it. */
export type LetGo = (tx: TenantTransaction) => Promise<void>;

/**
 * Puts around a deletion what those need who show files. The work is one transaction, and may be done more than once: all but
 * the last time nothing of it is stored.
 */
export type Without = <T>(file: GoingFile, work: (letGo: LetGo) => Promise<T>) => Promise<T>;

const NOBODY: Without = (_file, work) => work(() => Promise.resolve());

/** Files may be shown by others, products for one: whoever shows them says here how it does without one that is deleted. */
@Injectable()
export class ShownFiles {
  private shower: Without | undefined;

  constructor(private readonly db: TenantDatabase) {}

  /** Call it while the modules are set up. */
  shownBy(shower: Without): void {
    if (this.shower) throw new Error('There are two who show files');
    this.shower = shower;
  }

  /**
   * Does the work that deletes the file, in a transaction of its own. It calls `letGo` once it holds the file: what showed it
   * shows it no more as soon as that is committed.
   */
  deleting<T>(file: GoingFile, work: (tx: TenantTransaction, letGo: () => Promise<void>) => Promise<T>): Promise<T> {
    const within = (letGo: LetGo): Promise<T> =>
      this.db.transaction(file.actor.tenantId, (tx) => work(tx, () => letGo(tx)));
    return (this.shower ?? NOBODY)(file, within);
  }
}
