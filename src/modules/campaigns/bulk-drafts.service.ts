import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { CommonErrors } from '../../common/common.errors';
import type { Pace } from '../../common/pace';
import { BulkAcceptor, type StoredContent } from '../messages/bulk-acceptor.service';
import { TemplatesService } from '../templates/templates.service';
import { SessionDirectory } from '../waha/session-directory.service';
import { SessionsService } from '../waha/sessions.service';
import type { BulkDraft } from './bulk.service';
import type { BulkDto, BulkMessageDto } from './dto/bulk.dto';

/** What is asked for, however it was said. */
export type BulkRequest = Omit<BulkDto, 'recipients' | 'audience' | 'dry_run'>;

const YEAR_MS = 366 * 24 * 3_600_000;

/** Makes sure of all that a campaign is to be before its first recipient is looked at. */
@Injectable()
export class BulkDrafts {
  constructor(
    private readonly acceptor: BulkAcceptor,
    private readonly templates: TemplatesService,
    private readonly directory: SessionDirectory,
    private readonly sessions: SessionsService,
  ) {}

  /**
   * @throws VALIDATION_FAILED for a message that is none, or both or neither of message and template; SESSION_REQUIRED,
   * NOT_FOUND for a session, template or file that there is not; PLAN_LIMIT_REACHED when the storage is full and a file is sent
   */
  async of(actor: Actor, request: BulkRequest): Promise<BulkDraft> {
    const { name = null, template_id: templateId, message, pace, scheduled_at: scheduledAt } = request;
    if ((message === undefined) === (templateId === undefined))
      throw CommonErrors.invalidField('message', 'give either message or template_id');
    const common = {
      name,
      perMinute: pace?.per_minute ?? null,
      scheduledAt: laterThan(scheduledAt),
      sessions: await this.sessionsOf(actor, request),
    };
    if (templateId !== undefined) return { ...common, ...(await this.ofTemplate(actor, templateId)) };
    return { ...common, ...(await this.ofMessage(actor, message ?? {}, common.scheduledAt)) };
  }

  private async ofTemplate(actor: Actor, templateId: string) {
    const template = await this.templates.forSending(actor, templateId);
    const { media } = template;
    const said = media && (await this.acceptor.withMedia(actor, this.acceptor.contentOf({ media }, media.type)));
    const content = { ...said?.content, template_id: templateId };
    const message = { type: said?.type ?? ('text' as const), content, metadata: {} };
    const bodyFor: BulkDraft['bodyFor'] = (variables) => template.render(variables);
    return { templateId, message, bodyFor, expiresAt: null };
  }

  private async ofMessage(actor: Actor, message: BulkMessageDto, scheduledAt: Date | null) {
    const {
      text,
      type,
      location,
      contact,
      poll,
      media,
      link_preview: preview = true,
      metadata = {},
      expires_at: end,
    } = message;
    const content = this.acceptor.contentOf({ text, location, contact, poll, media }, type);
    const said = await this.acceptor.withMedia(actor, content);
    const expiresAt = end ?? null;
    if (expiresAt && expiresAt <= (scheduledAt ?? new Date()))
      throw CommonErrors.invalidField('message.expires_at', 'message.expires_at must be later than it is sent');
    const sent = { ...said.content, ...(preview ? {} : { link_preview: false }) };
    const common = { type: said.type, content: sent, metadata };
    return { templateId: null, message: common, bodyFor: this.bodyOf(said), expiresAt };
  }

  /** Texts and captions may hold variables; the question of a poll is the same to everybody. */
  private bodyOf({ type, body, content: { media } }: StoredContent): BulkDraft['bodyFor'] {
    if (body === null || (type !== 'text' && !media)) return () => body;
    const filled = this.templates.ofText(body, media ? 'caption' : 'text');
    return (variables) => filled.render(variables);
  }

  private async sessionsOf(actor: Actor, request: BulkRequest): Promise<{ id: string; pace: Pace }[]> {
    const { session_id: one, session_ids: several } = request;
    if (one !== undefined && several !== undefined)
      throw CommonErrors.invalidField('session_ids', 'give either session_id or session_ids');
    const ids = several ?? [await this.directory.forSending(actor.tenantId, one)];
    return Promise.all(ids.map((id) => this.sessions.get(actor, id)));
  }
}

/** Null for now. */
function laterThan(scheduledAt: Date | undefined): Date | null {
  if (scheduledAt && scheduledAt.getTime() > Date.now() + YEAR_MS)
    throw CommonErrors.invalidField('scheduled_at', 'scheduled_at must be within a year from now');
  return scheduledAt ?? null;
}
