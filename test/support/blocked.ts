import type { Client } from 'pg';
import { eventually } from './wait';

/** Resolves once another connection waits for what the client's open transaction holds. */
export async function blocksSomebody(client: Client, what: string): Promise<void> {
  // Not from pg_stat_activity: within one transaction that shows the same moment again and again.
  const waiting = `select from pg_locks where not granted and pg_backend_pid() = any (pg_blocking_pids(pid))`;
  await eventually(async () => ((await client.query(waiting)).rowCount ?? 0) > 0, { what });
}
