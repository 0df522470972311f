import { v7 } from 'uuid';
import { randomBytes } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Client } from 'pg';
import { newId } from '../../src/common/ids';
import { secretContext } from '../../src/modules/waha/session-secret';
import { SecretBox } from '../../src/platform/crypto/secret-box';

/** A session that stands in the database without WAHA having been asked. */
export interface TestSession {
  tenantId: string;
  id: string;
  wahaName: string;
  /** What its webhooks are signed with. */
  secret: string;
}

/** What a session is made with; each has a default. */
export interface SessionOptions {
  name?: string;
  wahaName?: string;
  secret?: string;
  status?: string;
  /** Whether its messages would be sent; `parked` unless told otherwise. */
  lane?: 'open' | 'parked';
  /** The application's own unless another is named. */
  serverId?: string;
}

/** Makes sessions and messages as rows of a database, whose owner the client is. */
export class Factories {
  private server: Promise<string> | undefined;

  /** @param app seals the secrets; without it a session's secret opens nowhere */
  constructor(
    private readonly owner: Client,
    private readonly app?: NestFastifyApplication,
  ) {}

  /** An active tenant without users. */
  async tenant(): Promise<string> {
    const id = newId();
    await this.owner.query(`insert into tenants (id, slug, name) values ($1, $2, 'Factory Ltd.')`, [id, `made-${id}`]);
    return id;
  }

  /** A session that should be stopped, so that no reconciler brings it into WAHA. */
  async session(tenantId: string, options: SessionOptions = {}): Promise<TestSession> {
    const id = newId();
    const { wahaName = `made_${id}`, secret = randomBytes(16).toString('hex'), status = 'WORKING' } = options;
    const sealed = this.app?.get(SecretBox).seal(secret, secretContext(id)) ?? 'sealed by nobody';
    const serverId = options.serverId ?? (await this.wahaServer());
    await this.owner.query(
      `insert into sessions (tenant_id, id, server_id, name, waha_name, desired, status, webhook_secret)
        values ($1, $2, $3, $4, $5, 'stopped', $6, $7)`,
      [tenantId, id, serverId, options.name ?? `session ${id}`, wahaName, status, sealed],
    );
    await this.owner.query(
      `insert into lanes (tenant_id, session_id, server_id, state, per_minute, burst, jitter_ms, tokens, daily_cap, first_contacts_per_day)
        values ($1, $2, $4, $3, 60000, 1000, 0, 1000, 1000000, 1000000)`,
      [tenantId, id, options.lane ?? 'parked', serverId],
    );
    return { tenantId, id, wahaName, secret };
  }

  /** A message, `queued` unless columns say otherwise; answers its id. */
  async message(session: TestSession, columns: Record<string, unknown> = {}): Promise<string> {
    const { id = idAt(columns.created_at) } = columns as { id?: string };
    const row: Record<string, unknown> = {
      tenant_id: session.tenantId,
      session_id: session.id,
      chat: '5511888880000@c.us',
      direction: 'outbound',
      type: 'text',
      status: 'queued',
      body: 'made by a test',
      ...columns,
      id,
    };
    const names = Object.keys(row);
    await this.owner.query(
      `insert into messages (${names.join(', ')}) values (${names.map((_, i) => `$${i + 1}`).join(', ')})`,
      Object.values(row),
    );
    return id;
  }

  private wahaServer(): Promise<string> {
    this.server ??= this.owner
      .query<{ id: string }>(
        // The application's own, where one runs; else one that it takes for its own when it starts.
        `with there as (select id from waha_servers where from_config),
          made as (insert into waha_servers (id, base_url, from_config)
            select $1, 'http://factory.invalid', true where not exists (select from there) returning id)
          select id from there union all select id from made`,
        [newId()],
      )
      .then(({ rows }) => rows[0]?.id ?? '');
    return this.server;
  }
}

/** An id as the service would have made it at that time: lists go by it. */
const idAt = (time: unknown): string => (time instanceof Date ? v7({ msecs: time.getTime() }) : newId());
