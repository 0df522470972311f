import { Injectable } from '@nestjs/common';
import type { TenantTransaction } from '../../platform/database/tenant-database';
import { Wakeups } from '../../platform/database/wakeups';
import { type SessionState, SessionsRepository } from './sessions.repository';

/** Whose state it is. */
export interface SessionKey {
  tenantId: string;
  sessionId: string;
}

/** A state, and what WhatsApp says with it of new chats (WahaEvent). */
type StateTold = SessionState & { newChatsClosedUntil?: Date | null };

/** WhatsApp's own word, which stands in the place of what we guessed after a refusal. */
const CLOSE_NEW_CHATS = `update lanes set firsts_closed_until = $3, next_at = greatest(pace_at, clock_timestamp())
  where tenant_id = $1 and session_id = $2 and state <> 'closed' and firsts_closed_until is distinct from $3`;

/** What waited for that goes on at once. */
const OPEN_NEW_CHATS = `update lanes set firsts_closed_until = null, next_at = greatest(pace_at, clock_timestamp())
  where tenant_id = $1 and session_id = $2 and state <> 'closed' and firsts_closed_until > clock_timestamp()`;

/** Also where a newer state is known: what was sent before that it knows nothing of (NOTE_STATE). */
const FORGOT = `update sessions set forgot_at = greatest(forgot_at, $3) where tenant_id = $1 and id = $2`;

const closing = (tenantId: string, sessionId: string, until: Date | null): unknown[] =>
  until === null ? [tenantId, sessionId] : [tenantId, sessionId, until];

/** What events tell of a session, written in the transaction of the event. */
@Injectable()
export class SessionStates {
  constructor(
    private readonly sessions: SessionsRepository,
    private readonly wakeups: Wakeups,
  ) {}

  /**
   * Notes the state and opens or parks the lane, and closes or opens it for new chats where WhatsApp says so. False when a newer
   * state is known already.
   */
  async apply(tx: TenantTransaction, { tenantId, sessionId }: SessionKey, state: StateTold): Promise<boolean> {
    const noted = await this.sessions.noteState(tenantId, sessionId, state, tx);
    const { newChatsClosedUntil: until } = state;
    if (noted && until !== undefined)
      await tx.query(until === null ? OPEN_NEW_CHATS : CLOSE_NEW_CHATS, closing(tenantId, sessionId, until));
    if (!noted && state.status === 'SCAN_QR_CODE') await tx.query(FORGOT, [tenantId, sessionId, state.at]);
    return noted;
  }

  /**
   * Says, once it is committed, that a session was heard to have stopped. That may be the word of a server that it has left, and
   * which stopped what it still ran: the server that has it now is asked soon, and not a minute later.
   */
  heardStopped(): void {
    this.wakeups.wake('sessions');
  }

  /** Notes that an inbound message or an ack came just now. */
  async heard(tx: TenantTransaction, { tenantId, sessionId }: SessionKey, what: 'inbound' | 'ack'): Promise<void> {
    await this.sessions.noteHeard(tx, tenantId, sessionId, what === 'inbound' ? 'last_inbound_at' : 'last_ack_at');
  }
}
