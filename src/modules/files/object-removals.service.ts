import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../../config/config';
import { SystemDatabase } from '../../platform/database/system-database';
import { Periodic } from '../../platform/loops/periodic';
import { ObjectStorage } from '../../platform/storage/object-storage';
import { ObjectsRepository } from './objects.repository';

const EVERY_MS = 60_000;
const AT_ONCE = 100;

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

  constructor(
    private readonly config: Config,
    private readonly objects: ObjectsRepository,
    private readonly system: SystemDatabase,
    private readonly storage: ObjectStorage,
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

  /** Removes all that are due; answers how many. What fails is tried again some minutes later. */
  async sweep(): Promise<number> {
    let swept = 0;
    for (;;) {
      const due = await this.system.run<{ tenant_id: string; storage_key: string }>('takeRemovals', [AT_ONCE]);
      for (const { tenant_id: tenantId, storage_key: key } of due) {
        await this.storage.delete(key);
        await this.system.run('removalDone', [tenantId, key]);
        swept += 1;
      }
      if (due.length < AT_ONCE) return swept;
    }
  }
}
