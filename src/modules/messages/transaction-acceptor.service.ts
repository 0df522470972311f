import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { dayIn } from '../../common/days';
import { newId } from '../../common/ids';
import type { TenantTransaction } from '../../platform/database/tenant-database';
import { Wakeups } from '../../platform/database/wakeups';
import { TenantDirectory } from '../../platform/http/tenant-directory';
import type { LoadedTemplate } from '../templates/templates.service';
import { SessionDirectory } from '../waha/session-directory.service';
import { chatAddress } from './chat-address';
import { MediaService } from './media/media.service';
import { type Accepted, acceptanceOf, type Outcome } from './message-acceptor.service';
import { contentOf, type StoredContent } from './message-content';
import { MessageMetrics } from './message.metrics';

/** From where messages go, and how many of them the tenant's day takes. */
export interface Route extends Pick<Accepted, 'sessionId' | 'quota'> {
  tenantId: string;
}

/** What a template says to somebody. */
export interface TemplateDraft {
  /** A phone number or chat id. */
  to: string;
  text: string;
  /** The template that the text was made of, and its file, of which the text is the caption. */
  template: Pick<LoadedTemplate, 'id' | 'media'>;
  metadata: Record<string, unknown>;
}

/** The id of the message that was stored, or why none was. */
export type TemplateOutcome = { id: string } | 'no_recipient' | 'no_session' | 'over_quota';

/**
 * Takes messages into the queue within a transaction of somebody else's, so that what a message tells of and the message
 * itself are there together, or neither. The statement is that of every single message: sessions, quotas and pacing are the same.
 */
@Injectable()
export class TransactionAcceptor {
  constructor(
    private readonly directory: SessionDirectory,
    private readonly tenants: TenantDirectory,
    private readonly wakeups: Wakeups,
    private readonly metrics: MessageMetrics,
    private readonly media: MediaService,
  ) {}

  /** What is known before the transaction begins. @throws SESSION_REQUIRED where none is named and the tenant has not one */
  async routeFor(actor: Actor, sessionId: string | undefined): Promise<Route> {
    const { tenantId } = actor;
    const from = await this.directory.forSending(tenantId, sessionId);
    const { messages_per_day: limit } = await this.tenants.limitsOf(tenantId);
    const quota = limit === null ? null : { limit, day: dayIn(await this.tenants.timeZoneOf(tenantId), new Date()) };
    return { tenantId, sessionId: from, quota };
  }

  /** Whether the tenant may keep no further file: a message with one is not to be stored then. */
  async isFull({ tenantId }: Actor): Promise<boolean> {
    return (await this.media.fullness(tenantId)) !== null;
  }

  /**
   * Stores the message. It holds the session's lane, and the tenant's day, until the transaction ends: let it be the last
   * thing that waits for anybody. Once the transaction is committed, `committed` is to be told.
   */
  async accept(tx: TenantTransaction, actor: Actor, route: Route, draft: TemplateDraft): Promise<TemplateOutcome> {
    const chat = chatAddress(draft.to);
    if (!chat) return 'no_recipient';
    const said = saidBy(draft);
    const message: Accepted = {
      ...route,
      id: newId(),
      chat,
      type: said.type,
      body: said.body,
      content: { ...said.content, template_id: draft.template.id },
      metadata: draft.metadata,
      createdBy: actor.id,
      scheduledAt: null,
      expiresAt: null,
    };
    const { text, params } = acceptanceOf([message]);
    const [outcome] = await tx.query<Outcome>(text, params);
    if (!outcome) return 'no_session';
    return outcome.over ? 'over_quota' : { id: message.id };
  }

  /** A message was stored, and its transaction is committed. */
  committed(): void {
    this.wakeups.wake('lanes');
    this.metrics.happened('accepted', 1);
  }
}

function saidBy({ text, template: { media } }: TemplateDraft): StoredContent {
  if (!media) return contentOf({ text }, 'text');
  const { type, ...source } = media;
  return contentOf({ media: { ...source, caption: text } }, type);
}
