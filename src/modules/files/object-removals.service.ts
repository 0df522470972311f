import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../../config/config';
import { SystemDatabase } from '../../platform/database/system-database';
import { Periodic } from '../../platform/loops/periodic';
import { BackgroundStorage, ObjectStorage } from '../../platform/storage/object-storage';
import { ObjectsRepository } from './objects.repository';

const EVERY_MS = 60_000;
const AT_ONCE = 100;
/** So many failures one after another say that it is the storage, and not the objects. */
const FAILURES_IN_A_ROW = 10;

interface DueObject {
  tenant_id: string;
  storage_key: string;
}

/** The object of a file that is not kept. */
export interface Discarded {
  tenantId: string;
  key: string;
  fileId: string;
}

/**
 * Removes the objects that nobody keeps: at once where that is possible, else later, by whichever process looks after it. Any
 * number of processes may do it.
 */
@Injectable()
export class ObjectRemovals implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(ObjectRemovals.name);
  private readonly loop: Periodic;
  private stopping = false;

  constructor(
    private readonly config: Config,
    private readonly objects: ObjectsRepository,
    private readonly system: SystemDatabase,
    private readonly storage: ObjectStorage,
    private readonly background: BackgroundStorage,
  ) {
    this.loop = new Periodic({
      everyMs: EVERY_MS,
      run: () => this.sweep(),
      onError: (error) => this.logger.warn({ msg: 'files: removing objects failed', err: error }),
    });
  }

  onApplicationBootstrap(): void {
    if (this.config.works) this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    await this.loop.stop();
  }

  /** Removes one now; what cannot be removed is swept later. Never fails. */
  async discard({ tenantId, key, fileId }: Discarded): Promise<void> {
    try {
      if (!(await this.objects.take(tenantId, key, fileId))) return;
      await this.storage.delete(key);
      await this.objects.removed(tenantId, key);
    } catch (error) {
      this.logger.warn({ msg: 'files: an object is removed later', err: error });
    }
  }

  /**
   * Removes all that are due; answers how many. Each for itself: what fails is tried again after a pause that grows, and holds up
   * no other. Where nothing works any more the rest is left for some minutes.
   */
  async sweep(): Promise<number> {
    let swept = 0;
    for (let failed = 0; ;) {
      const due = await this.system.run<DueObject>('takeRemovals', [AT_ONCE]);
      for (const object of due) {
        const removed = await this.remove(object);
        swept += removed ? 1 : 0;
        failed = removed ? 0 : failed + 1;
        if (failed === FAILURES_IN_A_ROW || this.stopping) return swept;
      }
      if (due.length < AT_ONCE) return swept;
    }
  }

  private async remove({ tenant_id: tenantId, storage_key: key }: DueObject): Promise<boolean> {
    try {
      await this.background.delete(key);
    } catch (error) {
      this.logger.warn({ msg: 'files: an object is removed later', err: error, tenant_id: tenantId });
      await this.system.run('removalLater', [tenantId, key]);
      return false;
    }
    await this.system.run('removalDone', [tenantId, key]);
    return true;
  }
}
