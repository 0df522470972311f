import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import type { AppError } from '../../common/app-error';
import { CommonErrors } from '../../common/common.errors';
import { dayIn, secondsLeftOfDay } from '../../common/days';
import { isId, newId } from '../../common/ids';
import { COUNT_CAP, type Page, type PageRequest, pageOf, totalOf } from '../../common/paging';
import { currentContext } from '../../platform/context/request-context';
import { TenantDirectory } from '../../platform/http/tenant-directory';
import type { VariableValues } from '../templates/dto/variables.dto';
import { type LoadedTemplate, TemplatesService } from '../templates/templates.service';
import { SessionDirectory } from '../waha/session-directory.service';
import { chatAddress } from './chat-address';
import type { JobContent } from './lanes/lane-job';
import { type ContentDraft, contentOf, type SentType } from './message-content';
import { timesOf } from './message-times';
import { OutgoingMedia } from './media/outgoing-media.service';
import type { MessageFilter } from './message-walk';
import { MessageErrors } from './messages.errors';
import { type Accepted, MessageAcceptor } from './message-acceptor.service';
import { mayRead, readableBy } from './messages.policy';
import { type MessageEventRow, type MessageRow, MessagesRepository, type ReactionRow } from './messages.repository';

/** A message to send. */
export interface MessageDraft extends ContentDraft {
  sessionId: string | undefined;
  to: string;
  /** The kind that the caller expects; undefined: whatever the content is. */
  type: SentType | undefined;
  linkPreview: boolean;
  /** Where its text is to come from, and what the variables of it become. */
  templateId: string | undefined;
  variables: VariableValues | undefined;
  /** The message that it answers, by our id or WhatsApp's whole one. */
  replyTo: string | undefined;
  /** Not before, and not after. */
  scheduledAt: Date | undefined;
  expiresAt: Date | undefined;
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
    private readonly templates: TemplatesService,
    private readonly media: OutgoingMedia,
  ) {}

  /**
   * Takes a message into the queue; answers once it is durable. With an idempotency key a repeated call finds the first
   * one's message.
   * @throws VALIDATION_FAILED for a recipient that cannot be one, content that is none, variables of a template without a
   * value, times that contradict each other, MESSAGE_STATE when the message to answer has not been sent, SESSION_REQUIRED,
   * NOT_FOUND for an unknown session, template or file, QUOTA_EXCEEDED when the tenant's messages of the day are used up,
   * PLAN_LIMIT_REACHED when its storage is and a file is sent
   */
  send(actor: Actor, draft: MessageDraft): Promise<MessageRow> {
    if (draft.templateId !== undefined || draft.variables !== undefined) return this.sendTemplate(actor, draft);
    return draft.media?.file_id === undefined ? this.accept(actor, draft) : this.sendFile(actor, draft);
  }

  private async sendTemplate(actor: Actor, draft: MessageDraft): Promise<MessageRow> {
    const { templateId, variables = {}, text } = draft;
    if (templateId === undefined)
      throw CommonErrors.invalidField('variables', 'variables are those of a template: give template_id');
    if (text !== undefined) throw CommonErrors.invalidField('text', 'give either text or template_id');
    if (draft.media !== undefined) throw CommonErrors.invalidField('media', 'give either media or template_id');
    const earlier = await this.earlierRun(actor);
    if (earlier) return earlier;
    const template = await this.templates.forSending(actor, templateId);
    return this.accept(actor, { ...draft, ...saidBy(template, variables, draft.type) });
  }

  private async sendFile(actor: Actor, draft: MessageDraft): Promise<MessageRow> {
    return (await this.earlierRun(actor)) ?? this.accept(actor, draft);
  }

  /** What an earlier run of this request took stays as it is, though its template or file may be changed or gone by now. */
  private async earlierRun(actor: Actor): Promise<MessageRow | null> {
    const repeated = currentContext()?.resourceId;
    return repeated === undefined ? null : this.messages.findById(actor.tenantId, repeated);
  }

  private async accept(actor: Actor, draft: MessageDraft): Promise<MessageRow> {
    const chat = chatAddress(draft.to);
    if (!chat)
      throw CommonErrors.invalidField('to', 'to must be a phone number with country code or a WhatsApp chat id');
    const said = contentOf(draft, draft.type);
    const media = await this.media.of(actor, said);
    const times = timesOf(draft, new Date());
    const sessionId = await this.directory.forSending(actor.tenantId, draft.sessionId);
    const quoted =
      draft.replyTo === undefined ? {} : { quoted: await this.quoted(actor, sessionId, chat, draft.replyTo) };
    const id = currentContext()?.resourceId ?? newId();
    const full = await this.media.fullness(actor.tenantId, media);
    if (full) return this.earlierOr(actor.tenantId, id, full);
    const content = { ...said.content, ...(media ? { media } : {}), ...besides(draft), ...quoted };
    const message = { id, sessionId, chat, type: said.type, body: said.body, content, metadata: draft.metadata };
    const quota = await this.quotaOf(actor.tenantId);
    const accepted = { ...message, ...times, tenantId: actor.tenantId, createdBy: actor.id, quota };
    const outcome = await this.acceptor.accept(accepted);
    if (outcome === 'over_quota') throw await this.quotaExceeded(actor.tenantId, quota);
    if (outcome !== 'nothing') return freshRow(accepted, outcome);
    return this.earlierOr(actor.tenantId, id, CommonErrors.notFound(media?.file_id ? 'session or file' : 'session'));
  }

  /**
   * Newest first. What no index finds is looked for in a bounded number of messages: a page may then hold fewer than asked for,
   * even none, and yet have a next one. A total of what could not be looked through to its end has a `+`.
   */
  async list(actor: Actor, filter: MessageFilter, request: PageRequest): Promise<Page<MessageRow>> {
    const narrowed = { ...filter, ...readableBy(actor) };
    const { rows, end } = await this.messages.list(actor.tenantId, narrowed, request);
    const found = pageOf(rows, request.limit);
    const page = end === null ? found : { ...found, nextCursor: end, byCursor: true };
    if (!request.count) return page;
    const { count, all } = await this.messages.count(actor.tenantId, narrowed, COUNT_CAP + 1);
    return { ...page, total: all ? totalOf(count) : `${Math.min(count, COUNT_CAP)}+` };
  }

  /** @throws NOT_FOUND */
  async get(actor: Actor, id: string): Promise<MessageRow> {
    const message = await this.messages.findById(actor.tenantId, id);
    if (!message || !mayRead(actor, message)) throw CommonErrors.notFound('message');
    return message;
  }

  /** The same with the reactions to it, oldest first. @throws NOT_FOUND */
  async view(actor: Actor, id: string): Promise<{ message: MessageRow; reactions: ReactionRow[] }> {
    const asked = [this.get(actor, id), this.messages.reactions(actor.tenantId, id)] as const;
    const [message, reactions] = await Promise.all(asked);
    return { message, reactions };
  }

  /** Every status, attempt and error with its time, oldest first: the first is its acceptance. @throws NOT_FOUND */
  async history(actor: Actor, id: string): Promise<MessageEventRow[]> {
    const message = await this.get(actor, id);
    const accepted = {
      at: message.created_at,
      status: firstStatusOf(message),
      attempt: null,
      error_code: null,
      note: null,
    };
    return [accepted, ...(await this.messages.events(actor.tenantId, id))];
  }

  /** WhatsApp's whole id of the message that is answered, which must be of that session and chat. */
  private async quoted(actor: Actor, sessionId: string, chat: string, replyTo: string): Promise<string> {
    const quoted = WHOLE_ID.exec(replyTo)?.[1];
    // Whose hidden id (`@lid`) it is, need not be known yet.
    if (quoted === chat || quoted?.endsWith('@lid')) return replyTo;
    const ids = await this.messages.chatIds(actor.tenantId, chat, sessionId);
    if (quoted !== undefined && ids.includes(quoted)) return replyTo;
    const message = isId(replyTo) ? await this.messages.findById(actor.tenantId, replyTo) : null;
    if (!message || !mayRead(actor, message) || message.session_id !== sessionId || !ids.includes(message.chat))
      throw CommonErrors.invalidField('reply_to', 'reply_to must be a message of the same session and chat');
    return wholeIdOf(message);
  }

  /** The message that an earlier run of the same request has made, or the refusal. */
  private async earlierOr(tenantId: string, id: string, refusal: AppError): Promise<MessageRow> {
    const earlier = await this.messages.findById(tenantId, id);
    if (!earlier) throw refusal;
    return earlier;
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

/** What a template says: its text, or its file with the text as caption. */
function saidBy(
  template: LoadedTemplate,
  variables: VariableValues,
  type: SentType | undefined,
): Pick<MessageDraft, 'text' | 'media' | 'type'> {
  const text = template.render(variables);
  if (!template.media) return { text, type };
  const { type: own, ...source } = template.media;
  if (type !== undefined && type !== own) throw CommonErrors.invalidField('type', `the template is of type ${own}`);
  return { media: { ...source, caption: text }, type: own };
}

/**
 * What else is kept of a message. The template stands in the content and not in a column of its own: nothing is looked for
 * by it, and every message would pay for one.
 */
const besides = ({ linkPreview, templateId }: MessageDraft): Pick<JobContent, 'link_preview' | 'template_id'> => ({
  ...(linkPreview ? {} : { link_preview: false }),
  ...(templateId === undefined ? {} : { template_id: templateId }),
});

function firstStatusOf({ direction, source, scheduled_at, created_at }: MessageRow): string {
  if (direction === 'inbound') return 'received';
  if (source === 'app') return 'sent';
  return scheduled_at !== null && scheduled_at > created_at ? 'scheduled' : 'queued';
}

/** WhatsApp's whole id of a message. @throws MESSAGE_STATE when it has none yet, or one that was reserved and not used */
function wholeIdOf({ direction, chat, wa_id: waId, author, sent_at: sentAt }: MessageRow): string {
  const seen = direction === 'inbound' || sentAt !== null;
  if (waId === null || !seen) throw MessageErrors.notAnswerable();
  const id = `${direction === 'outbound'}_${chat}_${waId}`;
  return author === null ? id : `${id}_${author}`;
}

/** `{fromMe}_{chat}_{id}[_{participant}]` (docs/WAHA.md §4). */
const WHOLE_ID = /^(?:true|false)_([^_\s]+@[^_\s]+)_[^\s]+$/;

/** A message as it is when it has just been accepted. */
const freshRow = (
  { id, sessionId, type, body, content, metadata, createdBy, scheduledAt, expiresAt }: Accepted,
  { chat, created_at, status }: { chat: string; created_at: Date; status: MessageRow['status'] },
): MessageRow => ({
  ...{ id, session_id: sessionId, chat, type, body, content, metadata, created_by: createdBy, created_at, status },
  ...{
    scheduled_at: scheduledAt,
    expires_at: expiresAt,
    direction: 'outbound',
    campaign_id: null,
    author: null,
    source: 'api',
    wa_id: null,
  },
  ...{ attempts: 0, error_code: null, error: null, retryable: null, sent_at: null, delivered_at: null, read_at: null },
  ...{ edited_at: null, revoked_at: null },
});
