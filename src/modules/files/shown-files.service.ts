import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { rerun } from '../../platform/database/rerun';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';

/** A file that somebody deletes. */
export interface GoingFile {
  actor: Actor;
  fileId: string;
}

/** What becomes of those who show the file, within the transaction that deletes it. */
export interface Showing {
  /** Holds them, before the file is held: whoever begins to show a file holds itself first. */
  hold(tx: TenantTransaction): Promise<void>;
  /** Takes the file, which is held, away from them. */
  letGo(tx: TenantTransaction): Promise<void>;
}

/**
 * Puts around a deletion what those need who show files. The work is one transaction, and may be done more than once: all but
 * the last time nothing of it is stored.
 */
export type Without = <T>(file: GoingFile, work: (showing: Showing) => Promise<T>) => Promise<T>;

const NOTHING = (): Promise<void> => Promise.resolve();
const NOBODY: Without = (_file, work) => rerun(() => work({ hold: NOTHING, letGo: NOTHING }));

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
   * Does the work that deletes the file, in a transaction of its own, in which those are held who show it. It calls `letGo` once it
   * holds the file: what showed it shows it no more as soon as that is committed.
   */
  deleting<T>(file: GoingFile, work: (tx: TenantTransaction, letGo: () => Promise<void>) => Promise<T>): Promise<T> {
    const within = (showing: Showing): Promise<T> =>
      this.db.transaction(file.actor.tenantId, async (tx) => {
        await showing.hold(tx);
        return work(tx, () => showing.letGo(tx));
      });
    return (this.shower ?? NOBODY)(file, within);
  }
}
