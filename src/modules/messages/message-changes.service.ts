import { Injectable } from '@nestjs/common';
import type { TenantTransaction } from '../../platform/database/tenant-database';
import type { SessionKey } from '../waha/session-states.service';
import type { MessageChange, MessageEdit, MessageReaction } from '../waha/waha.events';
import { isByAuthor, isOfItsChat, mayEdit, mayRevoke } from './message-changes.policy';
import { type LockedMessage, MessageChangesRepository } from './message-changes.repository';
import type { MessageStatus } from './message-status';
import { type Applied, MessageUpdates } from './message-updates.service';

/** The sender of reactions that the session's own account makes. */
export const OWN_REACTION = 'me';

const DONE: Applied = { result: 'applied' };
const NOTHING_NEW: Applied = { result: 'applied', note: 'nothing new' };
const REFUSED: Applied = { result: 'ignored', note: 'not by who may do that to this message' };

/** Statuses of messages that the service may still hand to WAHA by itself. */
const OPEN: readonly MessageStatus[] = ['scheduled', 'queued', 'sending', 'unknown'];

/**
 * Applies to messages what people do to them in WhatsApp, in the transaction of the event. Every step may be done twice, and
 * what comes late undoes nothing newer. Nothing of this is a message: nobody has been heard, and no status moves but that of a
 * message which the change shows to be in WhatsApp.
 */
@Injectable()
export class MessageChanges {
  constructor(
    private readonly changes: MessageChangesRepository,
    private readonly updates: MessageUpdates,
  ) {}

  /** The message says something else now. @param patient whether one that is not known, or not sent yet, is waited for */
  async applyEdit(tx: TenantTransaction, session: SessionKey, edit: MessageEdit, patient: boolean): Promise<Applied> {
    const message = await this.changes.lock(tx, session, edit.waId);
    if (!message) return missing(patient);
    if (!mayEdit(edit, message)) return REFUSED;
    if (message.revoked_at || (message.edited_at && message.edited_at > edit.at)) return NOTHING_NEW;
    const ready = await this.ready(tx, session, edit, { message, patient });
    if (ready.result !== 'applied') return ready;
    // The same words at a later time: told twice, or what lay in between is still to come and must find this time.
    const noted = message.edited_at === null || message.body !== edit.body;
    await this.changes.edit(tx, session, message.id, { body: edit.body, at: edit.at, noted });
    return noted ? ready : { ...ready, note: 'nothing new' };
  }

  /** The message was taken back: what it said goes, that it was there stays. @param patient as above */
  async applyRevocation(
    tx: TenantTransaction,
    session: SessionKey,
    revocation: MessageChange,
    patient: boolean,
  ): Promise<Applied> {
    const message = await this.changes.lock(tx, session, revocation.waId);
    if (!message) return missing(patient);
    if (!mayRevoke(revocation, message)) return REFUSED;
    if (message.revoked_at) return NOTHING_NEW;
    const ready = await this.ready(tx, session, revocation, { message, patient });
    if (ready.result !== 'applied') return ready;
    const note = isByAuthor(revocation, message) ? 'revoked' : 'revoked by an administrator of the group';
    await this.changes.revoke(tx, session, message.id, { at: revocation.at, note });
    return ready;
  }

  /** Somebody reacted, or took that back. @param patient whether a message that is not known is waited for */
  async applyReaction(
    tx: TenantTransaction,
    session: SessionKey,
    reaction: MessageReaction,
    patient: boolean,
  ): Promise<Applied> {
    const message = await this.changes.lock(tx, session, reaction.waId);
    if (!message) return missing(patient);
    if (!isOfItsChat(reaction, message)) return REFUSED;
    const { emoji, at } = reaction;
    const isNew = await this.changes.react(tx, session, message.id, { sender: senderOf(reaction, message), emoji, at });
    return isNew ? DONE : NOTHING_NEW;
  }

  /**
   * What is not sent yet, as far as is known here, must not lose its words: its send is waited for. In the end the change itself
   * shows that WhatsApp has the message.
   */
  private async ready(
    tx: TenantTransaction,
    session: SessionKey,
    change: MessageChange,
    { message, patient }: { message: LockedMessage; patient: boolean },
  ): Promise<Applied> {
    if (!OPEN.includes(message.status)) return DONE;
    if (patient) return { result: 'later', note: 'its send has not been answered yet' };
    const { frees } = (await this.updates.confirm(tx, session, change)) ?? {};
    return { ...DONE, frees };
  }
}

const missing = (patient: boolean): Applied =>
  patient ? { result: 'later', note: 'no such message yet' } : { result: 'ignored', note: 'no such message' };

/** In a chat of two it is the chat, as the message has it: so one person is one sender, whichever id an event names. */
function senderOf({ fromMe, author, chat }: MessageReaction, message: LockedMessage): string {
  if (fromMe) return OWN_REACTION;
  return message.chat.endsWith('@g.us') ? (author ?? chat) : message.chat;
}
