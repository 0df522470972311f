import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import type { AppError } from '../../common/app-error';
import { CommonErrors } from '../../common/common.errors';
import { dayIn, secondsLeftOfDay } from '../../common/days';
import { newId } from '../../common/ids';
import { COUNT_CAP, type Page, type PageRequest, pageOf, totalOf } from '../../common/paging';
import { currentContext } from '../../platform/context/request-context';
import { TenantDirectory } from '../../platform/http/tenant-directory';
import { SessionDirectory } from '../waha/session-directory.service';
import { chatAddress } from './chat-address';
import { type Accepted, MessageAcceptor } from './message-acceptor.service';
import { mayRead, readableBy } from './messages.policy';
import { type MessageEventRow, type MessageFilter, type MessageRow, MessagesRepository } from './messages.repository';

/** A text to send. */
export interface TextDraft {
  sessionId: string | undefined;
  to: string;
  text: string;
  linkPreview: boolean;
  metadata: Record<string, unknown>;
}

/** Accepting and reading messages. */
@Injectable()
export class MessagesService {
  constructor(
    private readonly directory: SessionDirectory,
    private readonly acceptor: MessageAcceptor,
    private readonly messages: MessagesRepository,
    private readonly tenants: TenantDirectory,
  ) {}

  /**
   * Takes a message into the queue; answers once it is durable. With an idempotency key a repeated call finds the first
   * one's message.
   * @throws VALIDATION_FAILED for a recipient that cannot be one, SESSION_REQUIRED, NOT_FOUND for an unknown session,
   * QUOTA_EXCEEDED when the tenant's messages of the day are used up
   */
  async send(actor: Actor, draft: TextDraft): Promise<MessageRow> {
    const chat = chatAddress(draft.to);
    if (!chat)
      throw CommonErrors.invalidField('to', 'to must be a phone number with country code or a WhatsApp chat id');
    const sessionId = await this.directory.forSending(actor.tenantId, draft.sessionId);
    const id = currentContext()?.resourceId ?? newId();
    const content = draft.linkPreview ? {} : { link_preview: false };
    const message = { id, sessionId, chat, content, body: draft.text, metadata: draft.metadata };
    const quota = await this.quotaOf(actor.tenantId);
    const at = await this.acceptor.accept({ ...message, tenantId: actor.tenantId, createdBy: actor.id, quota });
    if (at === 'over_quota') throw await this.quotaExceeded(actor.tenantId, quota);
    if (at !== 'nothing') return { ...FRESH, ...message, session_id: sessionId, created_by: actor.id, created_at: at };
    const earlier = await this.messages.findById(actor.tenantId, id);
    if (!earlier) throw CommonErrors.notFound('session');
    return earlier;
  }

  /** Newest first. */
  async list(actor: Actor, filter: MessageFilter, request: PageRequest): Promise<Page<MessageRow>> {
    const narrowed = { ...filter, ...readableBy(actor) };
    const page = pageOf(await this.messages.list(actor.tenantId, narrowed, request), request.limit);
    if (!request.count) return page;
    return { ...page, total: totalOf(await this.messages.count(actor.tenantId, narrowed, COUNT_CAP + 1)) };
  }

  /** @throws NOT_FOUND */
  async get(actor: Actor, id: string): Promise<MessageRow> {
    const message = await this.messages.findById(actor.tenantId, id);
    if (!message || !mayRead(actor, message)) throw CommonErrors.notFound('message');
    return message;
  }

  /** Every status, attempt and error with its time, oldest first: the first is its acceptance. @throws NOT_FOUND */
  async history(actor: Actor, id: string): Promise<MessageEventRow[]> {
    const message = await this.get(actor, id);
    const first = message.direction === 'inbound' ? 'received' : message.source === 'app' ? 'sent' : 'queued';
    const accepted = { at: message.created_at, status: first, attempt: null, error_code: null, note: null };
    return [accepted, ...(await this.messages.events(actor.tenantId, id))];
  }

  private async quotaOf(tenantId: string): Promise<Accepted['quota']> {
    const { messages_per_day: limit } = await this.tenants.limitsOf(tenantId);
    if (limit === null) return null;
    return { limit, day: dayIn(await this.tenants.timeZoneOf(tenantId), new Date()) };
  }

  private async quotaExceeded(tenantId: string, quota: Accepted['quota']): Promise<AppError> {
    const timeZone = await this.tenants.timeZoneOf(tenantId);
    return CommonErrors.dailyQuotaExceeded('messages', quota?.limit ?? 0, secondsLeftOfDay(timeZone, new Date()));
  }
}

/** What a message is when it has just been accepted. */
const FRESH = {
  direction: 'outbound',
  type: 'text',
  status: 'queued',
  author: null,
  source: 'api',
  wa_id: null,
  attempts: 0,
  error_code: null,
  error: null,
  retryable: null,
  sent_at: null,
  delivered_at: null,
  read_at: null,
} as const;
