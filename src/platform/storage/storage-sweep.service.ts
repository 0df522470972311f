import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Periodic } from '../loops/periodic';
import { BackgroundStorage } from './object-storage';

const EVERY_MS = 60 * 60_000;

/** Tidies up after processes that died while they stored something. Any number of processes may do it. */
@Injectable()
export class StorageSweep implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(StorageSweep.name);
  private readonly loop: Periodic;

  constructor(storage: BackgroundStorage) {
    this.loop = new Periodic({
      everyMs: EVERY_MS,
      run: async () => {
        const swept = await storage.sweep();
        if (swept > 0) this.logger.log(`${swept} unfinished objects removed`);
      },
      onError: (error) => this.logger.warn({ msg: 'storage: sweep failed', err: error }),
    });
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }
}
