import { Injectable } from '@nestjs/common';
import type { TenantTransaction } from '../../platform/database/tenant-database';
import { Wakeups } from '../../platform/database/wakeups';
import { type SessionState, SessionsRepository } from './sessions.repository';

/** Whose state it is. */
export interface SessionKey {
  tenantId: string;
  sessionId: string;
}

/** What events tell of a session, written in the transaction of the event. */
@Injectable()
export class SessionStates {
  constructor(
    private readonly sessions: SessionsRepository,
    private readonly wakeups: Wakeups,
  ) {}

  /** Notes the state and opens or parks the lane. False when a newer state is known already. */
  apply(tx: TenantTransaction, { tenantId, sessionId }: SessionKey, state: SessionState): Promise<boolean> {
    return this.sessions.noteState(tenantId, sessionId, state, tx);
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
