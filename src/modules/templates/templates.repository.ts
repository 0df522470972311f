import { Injectable } from '@nestjs/common';
import type { PageRequest } from '../../common/paging';
import { audited } from '../../platform/audit/audit-log';
import type { AuditRow } from '../../platform/audit/audit-record';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';
import type { TemplateMedia } from './template-media';

/** What people say of a template. */
export interface TemplateFields {
  name: string;
  /** BCP 47, in its canonical spelling. */
  language: string;
  /** With its `{{variables}}`; it can be parsed. */
  body: string;
  /** The file that the body is the caption of; null where there is none. */
  media: TemplateMedia | null;
}

/** A template as it is stored. */
export interface TemplateRow extends TemplateFields {
  id: string;
  version: number;
  created_at: Date;
  updated_at: Date;
}

/** Which templates are meant; what is absent narrows nothing. */
export interface TemplateFilter {
  name?: string;
  language?: string;
  q?: string;
}

const COLUMNS = `id, name, language, body, media, version, created_at, updated_at`;

const INSERT = audited(
  `insert into templates (tenant_id, id, name, language, body, media)
    values ($1::uuid, $2::uuid, $3::text, $4::text, $5::text, $6::jsonb) on conflict (tenant_id, id) do nothing returning ${COLUMNS}`,
  6,
);

const UPDATE = `
  update templates set name = $3, language = $4, body = $5, media = $6, version = version + 1, updated_at = now()
  where tenant_id = $1 and id = $2 returning ${COLUMNS}`;

const FILTERED = `tenant_id = $1 and ($2::text is null or lower(name) = lower($2)) and ($3::text is null or language = $3)
  and ($4::text is null or name ilike $4 or body ilike $4)`;

/** The queries on `templates`. */
@Injectable()
export class TemplatesRepository {
  constructor(private readonly db: TenantDatabase) {}

  /** Stores the template and the record of it; null where there is one of that id. Breaks templates_name_key. */
  async insert(
    tenantId: string,
    { id, name, language, body, media }: TemplateFields & { id: string },
    record: AuditRow,
  ): Promise<TemplateRow | null> {
    const [row] = await this.db.query<TemplateRow>(tenantId, INSERT, [
      tenantId,
      id,
      name,
      language,
      body,
      media,
      ...record,
    ]);
    return row ?? null;
  }

  /** Null when there is none. */
  async findById(tenantId: string, id: string): Promise<TemplateRow | null> {
    const text = `select ${COLUMNS} from templates where tenant_id = $1 and id = $2`;
    const [row] = await this.db.query<TemplateRow>(tenantId, text, [tenantId, id]);
    return row ?? null;
  }

  /** The same, held for this transaction. */
  async lockById(tx: TenantTransaction, tenantId: string, id: string): Promise<TemplateRow | null> {
    const text = `select ${COLUMNS} from templates where tenant_id = $1 and id = $2 for update`;
    const [row] = await tx.query<TemplateRow>(text, [tenantId, id]);
    return row ?? null;
  }

  /** Newest first, one more than asked for. */
  list(tenantId: string, filter: TemplateFilter, { limit, cursor, offset }: PageRequest): Promise<TemplateRow[]> {
    const text = `select ${COLUMNS} from templates where ${FILTERED} and ($5::uuid is null or id < $5)
      order by id desc limit $6 offset $7`;
    const params = [...paramsOf(tenantId, filter), cursor ?? null, limit + 1, offset ?? 0];
    return this.db.queryOnce<TemplateRow>(tenantId, text, params);
  }

  /** How many there are, counted no further than the cap. */
  async count(tenantId: string, filter: TemplateFilter, cap: number): Promise<number> {
    const text = `select count(*)::int as count from (select from templates where ${FILTERED} limit $5) t`;
    const [row] = await this.db.queryOnce<{ count: number }>(tenantId, text, [...paramsOf(tenantId, filter), cap]);
    return row?.count ?? 0;
  }

  /** Writes all that people say of a template that is held. Breaks templates_name_key. */
  async update(tx: TenantTransaction, tenantId: string, template: TemplateRow): Promise<TemplateRow> {
    const { id, name, language, body, media } = template;
    const [row] = await tx.query<TemplateRow>(UPDATE, [tenantId, id, name, language, body, media]);
    if (!row) throw new Error('A template that was held is gone');
    return row;
  }

  /** Removes a template that is held. */
  async remove(tx: TenantTransaction, tenantId: string, id: string): Promise<void> {
    await tx.query(`delete from templates where tenant_id = $1 and id = $2`, [tenantId, id]);
  }
}

const paramsOf = (tenantId: string, { name, language, q }: TemplateFilter): unknown[] => [
  tenantId,
  name ?? null,
  language ?? null,
  q === undefined ? null : `%${q.replace(/[\\%_]/g, '\\$&')}%`,
];
