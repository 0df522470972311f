import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../../../config/config';
import { SystemDatabase } from '../../../platform/database/system-database';
import { Wakeups } from '../../../platform/database/wakeups';
import { KeyedSlots } from '../../../platform/loops/keyed-slots';
import { Periodic } from '../../../platform/loops/periodic';
import { WahaServers } from '../../waha/waha-servers.service';
import { MessageUpdates } from '../message-updates.service';
import { personOf } from './alias-of';

const EVERY_MS = 2_000;
/** Questions to one WAHA server: one that hangs takes nothing from the others. */
const AT_ONCE = 20;
const TAKE_AT_MOST = 200;

/** A hidden id that is to be asked for. */
interface HiddenId {
  tenant_id: string;
  session_id: string;
  chat: string;
  waha_name: string;
  server_id: string;
  /** Whether its session does; WAHA is not asked otherwise. */
  works: boolean;
}

/**
 * Asks WAHA for the phones of the hidden ids (`@lid`) of which none is known: of engines that do not tell it with a message, and
 * of those that learn it later. WAHA answers from its own store, or that it does not know; then, and when it cannot be
 * reached, it is asked again after a pause that grows.
 */
@Injectable()
export class HiddenIds implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(HiddenIds.name);
  private readonly loop: Periodic;
  private readonly slots = new KeyedSlots(AT_ONCE);

  constructor(
    private readonly config: Config,
    private readonly system: SystemDatabase,
    private readonly servers: WahaServers,
    private readonly updates: MessageUpdates,
    private readonly wakeups: Wakeups,
  ) {
    this.loop = new Periodic({
      everyMs: EVERY_MS,
      run: () => this.round(),
      onError: (error) => this.logger.warn({ msg: 'hidden ids: round failed', err: error }),
    });
  }

  onApplicationBootstrap(): void {
    if (this.config.works) this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
    await this.slots.settled();
  }

  /** Does not wait for the answers. */
  private async round(): Promise<void> {
    const due = await this.system.run<HiddenId>('takeHiddenIds', [TAKE_AT_MOST, ...this.slots.params]);
    for (const hidden of due.filter(({ works }) => works))
      this.slots.run(hidden.server_id, this.ask(hidden), () => this.loop.nudge());
  }

  private async ask({ tenant_id, session_id, chat, waha_name, server_id }: HiddenId): Promise<void> {
    try {
      const { client } = await this.servers.byId(server_id);
      const alias = personOf(chat, await client.phoneOf(waha_name, chat), new Date());
      if (!alias) return;
      await this.updates.release({ tenantId: tenant_id, sessionId: session_id }, [{ result: 'applied', alias }]);
      this.wakeups.wake('lanes');
    } catch (error) {
      this.logger.debug({ msg: 'a hidden id is not known yet', session_id, err: error });
    }
  }
}
