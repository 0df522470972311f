import { Injectable } from '@nestjs/common';
import { TenantDatabase, type TenantTransaction } from '../../../platform/database/tenant-database';
import type { SessionKey } from '../../waha/session-states.service';
import type { ChatAlias, KnownAlias } from './alias-of';

// In this order everybody locks them. A session learns in one transaction at a time.
const SESSION = `select from sessions where tenant_id = $1 and id = $2 for no key update`;
const LANE = `select from lanes where tenant_id = $1 and session_id = $2 for no key update`;

const KNOWN = `select alias, chat, told_at from chat_aliases
  where tenant_id = $1 and session_id = $2 and alias = any ($3::text[])`;

// What leads to the alias leads to the chat from now on. Of the messages only those move that may still be sent, or hold others
// back: what has been sent or received stays where it was.
const LEARN = `
  with learnt as (
    insert into chat_aliases (tenant_id, session_id, alias, chat, told_at) values ($1, $2, $3, $4, $5)
    on conflict (tenant_id, session_id, alias) do update set chat = excluded.chat, told_at = excluded.told_at),
  bent as (
    update chat_aliases set chat = $4 where tenant_id = $1 and session_id = $2 and chat = $3),
  former as (
    delete from chats where tenant_id = $1 and session_id = $2 and chat = $3 returning known_at, last_inbound_at),
  joined as (
    insert into chats (tenant_id, session_id, chat, known_at, last_inbound_at)
    select $1, $2, $4, known_at, last_inbound_at from former
    on conflict (tenant_id, session_id, chat) do update set known_at = least(chats.known_at, excluded.known_at),
      last_inbound_at = greatest(chats.last_inbound_at, excluded.last_inbound_at))
  update messages set chat = $4 where tenant_id = $1 and session_id = $2 and chat = $3 and direction = 'outbound'
    and status in ('scheduled', 'queued', 'sending', 'unknown')`;

/** All ids of a person, wherever one of them is known. */
const IDS = `
  select distinct id from (
    select a.chat from chat_aliases a where a.tenant_id = $1 and a.alias = $2 and ($3::uuid is null or a.session_id = $3)
    union select $2) c
  cross join lateral (
    select c.chat as id
    union all
    select o.alias from chat_aliases o where o.tenant_id = $1 and o.chat = c.chat and ($3::uuid is null or o.session_id = $3)) i
  order by id limit 20`;

/** The other ids of chats. */
@Injectable()
export class ChatAliasesRepository {
  constructor(private readonly db: TenantDatabase) {}

  /** What is known of those ids in the session. */
  async known(
    tx: TenantTransaction,
    { tenantId, sessionId }: SessionKey,
    ids: string[],
  ): Promise<Map<string, KnownAlias>> {
    const rows = await tx.query<KnownAlias & { alias: string }>(KNOWN, [tenantId, sessionId, ids]);
    return new Map(rows.map((row) => [row.alias, row]));
  }

  /** Holds the session and then its lane: nothing is accepted or claimed there meanwhile, and nobody else learns. */
  async hold(tx: TenantTransaction, { tenantId, sessionId }: SessionKey): Promise<void> {
    await tx.query(SESSION, [tenantId, sessionId]);
    await tx.query(LANE, [tenantId, sessionId]);
  }

  /** The chat must be no alias itself. */
  async learn(
    tx: TenantTransaction,
    { tenantId, sessionId }: SessionKey,
    { alias, chat, at }: ChatAlias,
  ): Promise<void> {
    await tx.query(LEARN, [tenantId, sessionId, alias, chat, at]);
  }

  transaction<T>(tenantId: string, work: (tx: TenantTransaction) => Promise<T>): Promise<T> {
    return this.db.transaction(tenantId, work);
  }

  /** The id itself and every other of the same person that the tenant knows, in the session or in all of them; 20 at most. */
  async idsOf(tenantId: string, chat: string, sessionId: string | null): Promise<string[]> {
    const rows = await this.db.query<{ id: string }>(tenantId, IDS, [tenantId, chat, sessionId]);
    return rows.map(({ id }) => id);
  }
}
