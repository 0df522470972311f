import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { newId } from '../../common/ids';
import { countedPage, type Page, type PageRequest } from '../../common/paging';
import { AuditLog } from '../../platform/audit/audit-log';
import { currentContext } from '../../platform/context/request-context';
import { uniqueViolation } from '../../platform/database/database-error';
import { TenantDatabase } from '../../platform/database/tenant-database';
import { checkAddress } from '../../platform/egress/checked-address';
import { Egress } from '../../platform/egress/egress';
import { assertVersion, type ExpectedVersions } from '../../platform/http/etag';
import { assertCaption, sameMedia, type TemplateMedia } from './template-media';
import { parseTemplate, renderTemplate, type VariableValues } from './template-text';
import { TemplateErrors } from './templates.errors';
import {
  type TemplateFields,
  type TemplateFilter,
  type TemplateRow,
  TemplatesRepository,
} from './templates.repository';

/** A template that was read once, to be filled in for any number of messages. */
export interface LoadedTemplate {
  id: string;
  /** What each message must bring, in the order in which they first occur. */
  variables: readonly string[];
  /** The file that the text is the caption of; null where it is a message by itself. */
  media: TemplateMedia | null;
  /**
   * The text of one message. Values come as they were given: the caller sees to it that they can be stored (no NUL, no half
   * of a surrogate pair), as the validation of every request does.
   * @throws VALIDATION_FAILED that names each variable without a value, or `variables` where the text cannot be sent
   */
  render(values: VariableValues): string;
}

/** Texts of a template. The body is `text` to whoever calls. */
const SAID = { name: 'name', language: 'language', body: 'text' } as const;
const FIELDS = Object.keys(SAID) as (keyof typeof SAID)[];

/** Named texts with variables, which messages are made of. */
@Injectable()
export class TemplatesService {
  constructor(
    private readonly db: TenantDatabase,
    private readonly templates: TemplatesRepository,
    private readonly audit: AuditLog,
    private readonly egress: Egress,
  ) {}

  /**
   * Makes a template. With an idempotency key a repeated call finds the first one's.
   * @throws VALIDATION_FAILED for a body that is malformed or too long for a caption, and for a file that nobody would fetch;
   * TEMPLATE_NAME_TAKEN
   */
  async create(actor: Actor, fields: TemplateFields): Promise<TemplateRow> {
    parseTemplate(fields.body);
    this.checkMedia(fields);
    const id = currentContext()?.resourceId ?? newId();
    const { name, language } = fields;
    const entry = { metadata: { language }, personal: { name } };
    const record = this.audit.row(actor, { action: 'TEMPLATE_CREATED', resource: resourceOf(id), ...entry });
    try {
      const made = await this.templates.insert(actor.tenantId, { ...fields, id }, record);
      if (made) return made;
    } catch (error) {
      throw translated(error);
    }
    return this.get(actor, id);
  }

  /** Newest first. */
  async list(actor: Actor, filter: TemplateFilter, page: PageRequest): Promise<Page<TemplateRow>> {
    const { tenantId } = actor;
    return countedPage(page, this.templates.list(tenantId, filter, page), (cap) =>
      this.templates.count(tenantId, filter, cap),
    );
  }

  /** @throws NOT_FOUND */
  async get(actor: Actor, id: string): Promise<TemplateRow> {
    return found(await this.templates.findById(actor.tenantId, id));
  }

  /**
   * Changes what is named. Messages that were accepted keep the text that they have; what changes nothing leaves no trace.
   * @throws VALIDATION_FAILED as `create`, NOT_FOUND, PRECONDITION_FAILED, TEMPLATE_NAME_TAKEN
   */
  async update(
    actor: Actor,
    id: string,
    change: Partial<TemplateFields>,
    expected: ExpectedVersions,
  ): Promise<TemplateRow> {
    if (change.body !== undefined) parseTemplate(change.body);
    const { tenantId } = actor;
    try {
      return await this.db.transaction(tenantId, async (tx) => {
        const before = found(await this.templates.lockById(tx, tenantId, id));
        assertVersion(expected, before.version);
        const after = merged(before, change);
        this.checkMedia(after);
        const changed = changedIn(before, after);
        if (changed.length === 0) return before;
        const metadata = { changed };
        await this.audit.record(tx, actor, { action: 'TEMPLATE_UPDATED', resource: resourceOf(id), metadata });
        return this.templates.update(tx, tenantId, after);
      });
    } catch (error) {
      throw translated(error);
    }
  }

  /** Removes it; messages that were made of it stay as they are. @throws NOT_FOUND, PRECONDITION_FAILED */
  async remove(actor: Actor, id: string, expected: ExpectedVersions): Promise<void> {
    const { tenantId } = actor;
    await this.db.transaction(tenantId, async (tx) => {
      const { version, name, language } = found(await this.templates.lockById(tx, tenantId, id));
      assertVersion(expected, version);
      const entry = { metadata: { language }, personal: { name } };
      await this.audit.record(tx, actor, { action: 'TEMPLATE_DELETED', resource: resourceOf(id), ...entry });
      await this.templates.remove(tx, tenantId, id);
    });
  }

  /**
   * The template as it is now, to make messages of: it is read and taken apart once, and each message costs its own filling in
   * only. What is changed afterwards does not reach it.
   * @throws NOT_FOUND
   */
  async forSending(actor: Actor, id: string): Promise<LoadedTemplate> {
    const { body, media } = await this.get(actor, id);
    return { id, media, ...this.ofText(body, media ? 'caption' : 'text') };
  }

  /** The same of a text, or of the caption of a file, that is no template's. @throws VALIDATION_FAILED where it is malformed */
  ofText(text: string, as: 'text' | 'caption'): Pick<LoadedTemplate, 'variables' | 'render'> {
    const parsed = parseTemplate(text);
    const render = (values: VariableValues): string => {
      const rendered = renderTemplate(parsed, values);
      if (as === 'caption') assertCaption(rendered, 'variables');
      return rendered;
    };
    return { variables: parsed.variables, render };
  }

  private checkMedia({ media, body }: Pick<TemplateFields, 'media' | 'body'>): void {
    if (!media) return;
    checkAddress(this.egress, media.url, 'media.url');
    assertCaption(body, 'text');
  }
}

const resourceOf = (id: string): string => `template:${id}`;

function found(row: TemplateRow | null): TemplateRow {
  if (!row) throw TemplateErrors.notFound();
  return row;
}

const changedIn = (before: TemplateFields, after: TemplateFields): string[] => [
  ...FIELDS.filter((field) => before[field] !== after[field]).map((field) => SAID[field]),
  ...(sameMedia(before.media, after.media) ? [] : ['media']),
];

const merged = (before: TemplateRow, { name, language, body, media }: Partial<TemplateFields>): TemplateRow => ({
  ...before,
  name: name ?? before.name,
  language: language ?? before.language,
  body: body ?? before.body,
  media: media === undefined ? before.media : media,
});

const translated = (error: unknown): unknown =>
  uniqueViolation(error) === 'templates_name_key' ? TemplateErrors.nameTaken() : error;
