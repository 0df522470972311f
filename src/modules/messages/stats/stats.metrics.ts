import { Injectable, type OnModuleInit } from '@nestjs/common';
import { SystemDatabase } from '../../../platform/database/system-database';
import { Metrics } from '../../../platform/metrics/metrics';
import { Remembered } from '../../../platform/metrics/remembered';

const KEEP_MS = 5_000;

/** How far the figures of the messages are behind: they stay right, but reading them gets slower. */
@Injectable()
export class StatsMetrics implements OnModuleInit {
  private readonly lag: Remembered<number>;

  constructor(
    private readonly metrics: Metrics,
    system: SystemDatabase,
  ) {
    const ask = async () => (await system.run<{ lag_s: number }>('statsLag'))[0]?.lag_s ?? 0;
    this.lag = new Remembered(ask, KEEP_MS);
  }

  onModuleInit(): void {
    this.metrics.observe({
      name: 'switchboard_message_stats_lag_seconds',
      help: 'Age of the oldest change of a message that is not folded into the statistics yet; 0 where there is none',
      read: () => {
        const value = this.lag.present();
        return value === undefined ? [] : [{ value }];
      },
    });
  }
}
