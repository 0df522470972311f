import { Injectable } from '@nestjs/common';
import type { TenantTransaction } from '../../platform/database/tenant-database';
import { type SessionState, SessionsRepository } from './sessions.repository';

/** Whose state it is. */
export interface SessionKey {
  tenantId: string;
  sessionId: string;
}

/** What events tell of a session, written in the transaction of the event. */
@Injectable()
export class SessionStates {
  constructor(private readonly sessions: SessionsRepository) {}

  /** Notes the state and opens or parks the lane. False when a newer state is known already. */
  apply(tx: TenantTransaction, { tenantId, sessionId }: SessionKey, state: SessionState): Promise<boolean> {
    return this.sessions.noteState(tenantId, sessionId, state, tx);
  }

  /** Notes that an inbound message or an ack came just now. */
  async heard(tx: TenantTransaction, { tenantId, sessionId }: SessionKey, what: 'inbound' | 'ack'): Promise<void> {
    await this.sessions.noteHeard(tx, tenantId, sessionId, what === 'inbound' ? 'last_inbound_at' : 'last_ack_at');
  }
}
