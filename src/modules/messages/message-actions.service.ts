import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { Wakeups } from '../../platform/database/wakeups';
import { MessageActionsRepository } from './message-actions.repository';
import { RETRIED, RETRIED_BY_FORCE } from './message-status';
import { MessageErrors } from './messages.errors';
import type { MessageRow } from './messages.repository';
import { MessagesService } from './messages.service';

/** Cancelling what is not sent yet, and sending again what was not. */
@Injectable()
export class MessageActions {
  constructor(
    private readonly messages: MessagesService,
    private readonly actions: MessageActionsRepository,
    private readonly wakeups: Wakeups,
  ) {}

  /**
   * Takes a message out of the queue; one that is cancelled already stays so.
   * @throws NOT_FOUND, MESSAGE_STATE when it has left or has ended otherwise
   */
  async cancel(actor: Actor, id: string): Promise<MessageRow> {
    await this.messages.get(actor, id);
    if (await this.actions.cancel(actor.tenantId, id)) this.wakeups.wake('lanes');
    const message = await this.messages.get(actor, id);
    if (message.status === 'cancelled') return message;
    throw MessageErrors.state('cancelled', message.status);
  }

  /**
   * Queues a message again; of one that came in, the file that could not be had is asked of WAHA again.
   * @param force also where it may have been sent already (`unknown`, `stalled`): it may then arrive twice
   * @throws NOT_FOUND, FORCE_REQUIRED, MESSAGE_STATE when it is in another status or revoked, or its session is deleted
   */
  async retry(actor: Actor, id: string, force: boolean): Promise<MessageRow> {
    const { direction } = await this.messages.get(actor, id);
    if (direction === 'inbound') return this.fetchAgain(actor, id);
    const from = force ? [...RETRIED, ...RETRIED_BY_FORCE] : RETRIED;
    const done = await this.actions.retry(actor.tenantId, id, from);
    const now = await this.messages.get(actor, id);
    if (!done) throw this.whyNot(now, force);
    this.wakeups.wake('lanes');
    return now;
  }

  private async fetchAgain(actor: Actor, id: string): Promise<MessageRow> {
    const done = await this.actions.fetchAgain(actor.tenantId, id);
    const now = await this.messages.get(actor, id);
    if (!done) throw MessageErrors.state('retried', now.revoked_at ? 'revoked' : now.status);
    return now;
  }

  private whyNot({ status, revoked_at: revokedAt }: MessageRow, force: boolean): Error {
    const among = (statuses: readonly string[]): boolean => statuses.includes(status);
    if (revokedAt) return MessageErrors.state('retried', 'revoked');
    if (among(RETRIED_BY_FORCE) && !force) return MessageErrors.forceRequired(status);
    return among(RETRIED) || among(RETRIED_BY_FORCE)
      ? MessageErrors.sessionDeleted()
      : MessageErrors.state('retried', status);
  }
}
