import { Injectable, Logger } from '@nestjs/common';
import { TenantDatabase } from '../../platform/database/tenant-database';
import type { WahaMessage } from '../waha/waha.events';
import { WahaServers } from '../waha/waha-servers.service';
import type { CatchingUp } from './catch-up-reader.service';

/** WAHA lists messages without their files. */
@Injectable()
export class CatchUpFiles {
  private readonly logger = new Logger(CatchUpFiles.name);

  constructor(
    private readonly servers: WahaServers,
    private readonly db: TenantDatabase,
  ) {}

  /**
   * The same messages; of those that are new here and have a file WAHA is asked one by one, which makes it fetch the file and say
   * where it is. One that it cannot fetch any more stays without.
   * @param goOn told before each question; false when somebody else is at it by now
   */
  async complete(session: CatchingUp, found: WahaMessage[], goOn: () => Promise<boolean>): Promise<WahaMessage[]> {
    const bare = found.filter(({ media }) => media !== null && media.url === null).map(({ waId }) => waId);
    if (bare.length === 0) return found;
    const known = await this.db.query<{ wa_id: string }>(
      session.tenant_id,
      `select wa_id from messages where tenant_id = $1 and session_id = $2 and wa_id = any($3::text[])`,
      [session.tenant_id, session.session_id, bare],
    );
    const missing = new Set(bare);
    for (const { wa_id } of known) missing.delete(wa_id);
    const whole = new Map<string, WahaMessage>();
    for (const waId of missing) {
      if (!(await goOn())) break;
      const message = await this.withFile(session, waId);
      if (message?.media?.url) whole.set(waId, message);
    }
    return found.map((message) => whole.get(message.waId) ?? message);
  }

  private async withFile({ server_id, waha_name }: CatchingUp, waId: string): Promise<WahaMessage | null> {
    const { client } = await this.servers.byId(server_id);
    return client.findMessage(waha_name, waId, { withFile: true }).catch((error: unknown) => {
      this.logger.warn({ msg: 'a file that was missed cannot be had', wa_id: waId, err: error });
      return null;
    });
  }
}
