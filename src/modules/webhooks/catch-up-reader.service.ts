import { Injectable } from '@nestjs/common';
import type { WahaMessage } from '../waha/waha.events';
import { WahaServers } from '../waha/waha-servers.service';

const PAGE = 100;
/** Memory is bounded: of a time with more the first part is read alone. */
const MOST = 20_000;

/** From when until when. */
export interface Span {
  from: Date;
  to: Date;
}

/** A session that may have missed something. */
export interface CatchingUp {
  tenant_id: string;
  session_id: string;
  waha_name: string;
  server_id: string;
  catch_up_from: Date;
  /** Until when it is this worker's, to the microsecond; another time once a new gap is noted. */
  mark: string;
  /** Now, by the database's clock. */
  until: Date;
}

/** Reads what WAHA has kept of a session. */
@Injectable()
export class CatchUpReader {
  constructor(private readonly servers: WahaServers) {}

  /**
   * The messages of that time, the oldest first. What comes meanwhile may be in them twice.
   * @param goOn told before each page; false when somebody else is at it by now
   * @returns null: there are too many to be read at once, where that can be helped by a shorter time
   */
  async between(
    { server_id, waha_name }: CatchingUp,
    span: Span,
    goOn: () => Promise<boolean>,
  ): Promise<WahaMessage[] | null> {
    const { client } = await this.servers.byId(server_id);
    const found: WahaMessage[] = [];
    for (let offset = 0; await goOn(); offset += PAGE) {
      const page = await client.messagesBetween(waha_name, span, { limit: PAGE, offset });
      found.push(...page.messages);
      if (page.entries < PAGE) break;
      if (found.length >= MOST && isDivisible(span)) return null;
    }
    // WhatsApp counts whole seconds: within one the order is that of the list.
    return found.reverse().sort((a, b) => a.at.getTime() - b.at.getTime());
  }
}

/** WAHA is asked by whole seconds. */
const isDivisible = ({ from, to }: Span): boolean => to.getTime() - from.getTime() >= 2_000;
