import { Injectable, Logger } from '@nestjs/common';
import type { WahaMessage } from '../waha/waha.events';
import { WahaServers } from '../waha/waha-servers.service';

const PAGE = 100;
/** Of one session: memory is bounded, and a week of a busy number has fewer. */
const MOST = 50_000;

/** A session that may have missed something. */
export interface CatchingUp {
  tenant_id: string;
  session_id: string;
  waha_name: string;
  server_id: string;
  catch_up_from: Date;
  /** Until when it is this worker's, to the microsecond; another time once a new gap is noted. */
  mark: string;
}

/** Reads what WAHA has kept of a session. */
@Injectable()
export class CatchUpReader {
  private readonly logger = new Logger(CatchUpReader.name);

  constructor(private readonly servers: WahaServers) {}

  /**
   * The messages since the gap began, the oldest first. What comes meanwhile may be in them twice.
   * @param goOn told before each page; false when somebody else is at it by now
   */
  async since(
    { server_id, waha_name, catch_up_from }: CatchingUp,
    goOn: () => Promise<boolean>,
  ): Promise<WahaMessage[]> {
    const { client } = await this.servers.byId(server_id);
    const found: WahaMessage[] = [];
    for (let offset = 0; found.length < MOST && (await goOn()); offset += PAGE) {
      const page = await client.messagesSince(waha_name, catch_up_from, { limit: PAGE, offset });
      found.push(...page.messages);
      if (page.entries < PAGE) break;
    }
    if (found.length >= MOST) this.logger.error({ msg: 'more was missed than can be caught up', waha_name });
    // WhatsApp counts whole seconds: within one the order is that of the list.
    return found.reverse().sort((a, b) => a.at.getTime() - b.at.getTime());
  }
}
