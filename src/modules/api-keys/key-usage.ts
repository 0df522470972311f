import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { SystemDatabase } from '../../platform/database/system-database';
import { Periodic } from '../../platform/loops/periodic';

const FLUSH_EVERY_MS = 30_000;

interface Use {
  tenantId: string;
  at: Date;
}

/**
 * When each key was last used: remembered here and written for all keys together every 30 s and at the end, so that no request
 * pays a write. A process that dies loses half a minute of it.
 */
@Injectable()
export class KeyUsage implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(KeyUsage.name);
  private uses = new Map<string, Use>();
  private readonly loop = new Periodic({
    everyMs: FLUSH_EVERY_MS,
    run: () => this.flush(),
    onError: (error) => this.logger.warn({ msg: 'the last use of API keys could not be written yet', err: error }),
  });

  constructor(private readonly system: SystemDatabase) {}

  /** The key was used now. */
  note({ id, tenantId }: Actor): void {
    const known = this.uses.get(id);
    if (known) known.at.setTime(Date.now());
    else this.uses.set(id, { tenantId, at: new Date() });
  }

  /** Writes what is not written yet. What cannot be written now waits on. */
  async flush(): Promise<void> {
    const uses = this.uses;
    if (uses.size === 0) return;
    this.uses = new Map();
    const all = [...uses];
    const columns = [all.map(([, { tenantId }]) => tenantId), all.map(([id]) => id), all.map(([, { at }]) => at)];
    try {
      await this.system.run('noteKeysUsed', columns);
    } catch (error) {
      this.uses = new Map([...uses, ...this.uses]);
      throw error;
    }
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
    await this.flush().catch((error: unknown) =>
      this.logger.warn({ msg: 'the last use of API keys was not written', err: error }),
    );
  }
}
