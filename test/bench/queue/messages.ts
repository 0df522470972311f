import { hash } from 'bcrypt';
import type { Client } from 'pg';
import { newId } from '../../../src/common/ids';

interface Sender {
  tenantId: string;
  sessions: string[];
  email: string;
  password: string;
}

/** A tenant with so many sessions that work, on the one server that the service knows; their lanes are shut. */
export async function addSessions(owner: Client, count: number): Promise<Sender> {
  const [tenantId, userId] = [newId(), newId()];
  const [email, password] = [`${userId}@acme.example`, `password of ${userId}`];
  const sessions = Array.from({ length: count }, newId);
  await owner.query('insert into tenants (id, slug, name) values ($1, $2, $3)', [tenantId, `acme-${tenantId}`, 'Acme']);
  await owner.query(
    `insert into users (tenant_id, id, email, name, role, password_hash) values ($1, $2, $3, 'Bench', 'TENANT_ADMIN', $4)`,
    [tenantId, userId, email, await hash(password, 4)],
  );
  await owner.query(
    `insert into sessions (tenant_id, id, server_id, name, waha_name, desired, status, webhook_secret)
      select $1, id, (select id from waha_servers limit 1), 'session ' || nth, 'bench-' || id, 'stopped', 'WORKING', 'none'
      from unnest($2::uuid[]) with ordinality g(id, nth)`,
    [tenantId, sessions],
  );
  await owner.query(
    `insert into lanes (tenant_id, session_id, server_id, state, per_minute, burst, jitter_ms, tokens, daily_cap, first_contacts_per_day)
      select $1, id, (select id from waha_servers limit 1), 'parked', 60000, 1000, 0, 1000, 1000000, 1000000 from unnest($2::uuid[]) g(id)`,
    [tenantId, sessions],
  );
  return { tenantId, sessions, email, password };
}

/** Queues messages, each to a chat of its own, as the acceptance stores them. */
export async function queueMessages(
  owner: Client,
  { tenantId, sessions, perSession }: Pick<Sender, 'tenantId' | 'sessions'> & { perSession: number },
): Promise<void> {
  for (let round = 0; round < perSession; round += 1)
    await owner.query(
      `insert into messages (tenant_id, id, session_id, chat, direction, type, status, body, created_by)
        select $1, m, s, '5511' || lpad((nth * $4 + $5)::text, 9, '0') || '@c.us', 'outbound', 'text', 'queued', '0', $1
        from unnest($2::uuid[], $3::uuid[]) with ordinality g(s, m, nth)`,
      [tenantId, sessions, sessions.map(() => newId()), perSession, round],
    );
  await owner.query('analyze');
}

export async function openLanes(owner: Client, tenantId: string): Promise<void> {
  await owner.query(`update lanes set state = 'open', next_at = now() where tenant_id = $1`, [tenantId]);
}

/** `authorization` of the tenant's user. */
export async function signIn(port: number, { email, password }: Pick<Sender, 'email' | 'password'>): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/auth/login`, {
    ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
    body: JSON.stringify({ email, password }),
  });
  if (answer.status !== 200) throw new Error(`Logging in gave ${answer.status}`);
  return `Bearer ${((await answer.json()) as { access_token: string }).access_token}`;
}
