import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../../config/config';
import { SystemDatabase } from '../../platform/database/system-database';
import { Wakeups } from '../../platform/database/wakeups';
import { Periodic } from '../../platform/loops/periodic';
import { CampaignsRepository } from './campaigns.repository';

const EVERY_MS = 1_000;
const AT_ONCE = 2_000;
const CAMPAIGNS_AT_ONCE = 100;
/** Before every id. */
const NIL = '00000000-0000-0000-0000-000000000000';

type Statement = 'startCampaigns' | 'cancelRest' | 'campaignsCleared';

/**
 * What time does to campaigns: starts those whose time has come, ends those of which everything has left, and clears what was
 * cancelled or never accepted. Any number of workers may run it.
 */
@Injectable()
export class CampaignClock implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(CampaignClock.name);
  private readonly loop: Periodic;
  private looked = NIL;

  constructor(
    private readonly config: Config,
    private readonly system: SystemDatabase,
    private readonly wakeups: Wakeups,
    private readonly campaigns: CampaignsRepository,
  ) {
    this.loop = new Periodic({
      everyMs: EVERY_MS,
      run: () => this.tick(),
      onError: (error) => this.logger.warn({ msg: 'campaign clock: round failed', err: error }),
    });
  }

  onApplicationBootstrap(): void {
    if (this.config.works) this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  private async tick(): Promise<void> {
    if ((await this.move('startCampaigns')) > 0) this.wakeups.wake('lanes');
    await this.finish();
    const cancelled = await this.move('cancelRest');
    if (cancelled < AT_ONCE) await this.move('campaignsCleared');
    const left = await this.forgetUnaccepted();
    if (left || cancelled >= AT_ONCE) this.loop.nudge();
  }

  private async move(statement: Statement): Promise<number> {
    const [row] = await this.system.run<{ moved: number }>(
      statement,
      statement === 'campaignsCleared' ? [] : [AT_ONCE],
    );
    return row?.moved ?? 0;
  }

  /** Some at one time, in turn; with the last of them it begins again. */
  private async finish(): Promise<void> {
    const seen = await this.system.transaction(async (run) => {
      const held = await run<{ tenant_id: string; id: string }>('lockRunningCampaigns', [
        CAMPAIGNS_AT_ONCE,
        this.looked,
      ]);
      if (held.length > 0)
        await run('finishCampaigns', [held.map(({ tenant_id }) => tenant_id), held.map(({ id }) => id)]);
      return held;
    });
    this.looked = seen.length < CAMPAIGNS_AT_ONCE ? NIL : (seen.at(-1)?.id ?? NIL);
  }

  /** Some of each; answers whether there may be more. */
  private async forgetUnaccepted(): Promise<boolean> {
    const due = await this.system.run<{ tenant_id: string; id: string }>('campaignsUnaccepted', [CAMPAIGNS_AT_ONCE]);
    let left = due.length === CAMPAIGNS_AT_ONCE;
    for (const { tenant_id: tenantId, id } of due)
      left = !(await this.campaigns.forgetSome(tenantId, id, AT_ONCE)) || left;
    return left;
  }
}
