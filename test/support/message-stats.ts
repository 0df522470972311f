import type { Client } from 'pg';
import { eventually } from './wait';

/** Waits until a worker has folded what changed of the tenant's messages: so long two tables of it still move. */
export async function statsFolded(owner: Client, tenantId: string): Promise<void> {
  const waiting = 'select from message_stat_deltas where tenant_id = $1';
  await eventually(async () => (await owner.query(waiting, [tenantId])).rowCount === 0, { what: 'the statistics' });
}
