import { Injectable } from '@nestjs/common';
import type { TenantTransaction } from '../../platform/database/tenant-database';
import type { SessionKey } from '../waha/session-states.service';
import type { ChangedMessage } from './message-changes.policy';
import type { MessageStatus } from './message-status';

/** A message that is locked, so that it can be changed. */
export interface LockedMessage extends ChangedMessage {
  id: string;
  status: MessageStatus;
  body: string | null;
  edited_at: Date | null;
  revoked_at: Date | null;
}

// A history entry has the status that the message has at that moment; what was done says the note, and never the text.
const EDIT = `
  with edited as (
    update messages set body = $3, edited_at = $4 where tenant_id = $1 and id = $2 returning id, status, body)
  insert into message_events (tenant_id, message_id, at, status, note)
  select $1, id, $4, status, 'edited' from edited where $5::boolean`;

const REVOKE = `
  with revoked as (
    update messages set body = null, content = '{}', revoked_at = $3 where tenant_id = $1 and id = $2 returning id, status)
  insert into message_events (tenant_id, message_id, at, status, note) select $1, id, $3, status, $4 from revoked`;

const REACT = `
  insert into message_reactions (tenant_id, message_id, sender, emoji, at) values ($1, $2, $3, $4, $5)
  on conflict (tenant_id, message_id, sender) do update set emoji = excluded.emoji, at = excluded.at
    where message_reactions.at <= excluded.at
      and (message_reactions.emoji, message_reactions.at) is distinct from (excluded.emoji, excluded.at)
  returning sender`;

/** Writes what people do in WhatsApp to messages that are there, in the transaction of the event. */
@Injectable()
export class MessageChangesRepository {
  /** The session's message of that bare id, locked until the transaction ends; null when there is none. */
  async lock(tx: TenantTransaction, { tenantId, sessionId }: SessionKey, waId: string): Promise<LockedMessage | null> {
    const [message] = await tx.query<LockedMessage>(
      `select id, direction, chat, author, status, body, edited_at, revoked_at from messages
        where tenant_id = $1 and session_id = $2 and wa_id = $3 for no key update`,
      [tenantId, sessionId, waId],
    );
    return message ?? null;
  }

  /** @param noted whether its history gets an entry */
  async edit(
    tx: TenantTransaction,
    { tenantId }: SessionKey,
    id: string,
    { body, at, noted }: { body: string; at: Date; noted: boolean },
  ): Promise<void> {
    await tx.query(EDIT, [tenantId, id, body, at, noted]);
  }

  /** Blanks it; the row stays. */
  async revoke(
    tx: TenantTransaction,
    { tenantId }: SessionKey,
    id: string,
    { at, note }: { at: Date; note: string },
  ): Promise<void> {
    await tx.query(REVOKE, [tenantId, id, at, note]);
  }

  /** False where a newer reaction of that sender is known, or this one. */
  async react(
    tx: TenantTransaction,
    { tenantId }: SessionKey,
    id: string,
    { sender, emoji, at }: { sender: string; emoji: string; at: Date },
  ): Promise<boolean> {
    return (await tx.query(REACT, [tenantId, id, sender, emoji, at])).length > 0;
  }
}
