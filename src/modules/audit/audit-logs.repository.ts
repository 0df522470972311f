import { Injectable } from '@nestjs/common';
import { firstIdAt } from '../../common/ids';
import type { PageRequest } from '../../common/paging';
import type { AuditAction } from '../../platform/audit/audit-actions';
import { TenantDatabase } from '../../platform/database/tenant-database';

/** A record as it is read; `personal` as JSON, null once it was erased. */
export interface AuditLogRow {
  id: string;
  at: Date;
  actor_kind: string;
  actor_id: string | null;
  action: string;
  resource: string;
  metadata: Record<string, unknown>;
  request_id: string | null;
  personal: string | null;
}

/** What a list of records is narrowed to; what is absent narrows nothing. */
export interface AuditLogFilter {
  actorId?: string;
  userId?: string;
  action?: AuditAction;
  resource?: string;
  from?: Date;
  to?: Date;
}

const COLUMNS = `id, at, actor_kind, actor_id, action, resource, metadata, request_id, personal`;

/** Each filter's condition; only those asked for stand in the text, so that each combination gets a plan of its own. */
const CONDITIONS: Record<Exclude<keyof AuditLogFilter, 'resource'>, (parameter: string) => string> = {
  actorId: (p) => `actor_id = ${p}::uuid`,
  userId: (p) => `actor_kind = 'user' and actor_id = ${p}::uuid`,
  action: (p) => `action = ${p}`,
  from: (p) => `at >= ${p}`,
  to: (p) => `at < ${p}`,
};

/** Reads the audit trail of one tenant. */
@Injectable()
export class AuditLogsRepository {
  constructor(private readonly db: TenantDatabase) {}

  /** Newest first, one more than asked for. */
  list(tenantId: string, filter: AuditLogFilter, { limit, cursor, offset = 0 }: PageRequest): Promise<AuditLogRow[]> {
    const { where, params } = conditions(tenantId, filter);
    if (cursor) where.push(`id < $${params.push(cursor)}::uuid`);
    const paging = `limit $${params.push(limit + 1)} offset $${params.push(offset)}`;
    const most = `$${params.push(limit + 1 + offset)}`;
    const rows = sourcesOf(filter, where, params).map(
      (source) => `(select ${COLUMNS} from ${source} order by id desc limit ${most})`,
    );
    const text = `select * from (${rows.join(' union all ')}) l order by id desc ${paging}`;
    return this.db.queryOnce<AuditLogRow>(tenantId, text, params);
  }

  /** How many there are, counted no further than the cap. */
  async count(tenantId: string, filter: AuditLogFilter, cap: number): Promise<number> {
    const { where, params } = conditions(tenantId, filter);
    const most = `$${params.push(cap)}`;
    const rows = sourcesOf(filter, where, params).map((source) => `(select 1 from ${source} limit ${most})`);
    const text = `select count(*)::int as count from (select from (${rows.join(' union all ')}) l limit ${most}) c`;
    const [row] = await this.db.queryOnce<{ count: number }>(tenantId, text, params);
    return row?.count ?? 0;
  }
}

/** What imports write, by the hundred: their records name it in the metadata, and are found by an index of the migrations. */
const IMPORTED = /^(product|customer):(.+)$/s;

/** Where the records are: those of a resource, and those of the imports that wrote it, none of which is both. */
function sourcesOf({ resource }: AuditLogFilter, where: string[], params: unknown[]): string[] {
  const narrowed = `where ${where.join(' and ')}`;
  if (resource === undefined) return [`audit_logs ${narrowed}`];
  const own = `audit_logs ${narrowed} and resource = $${params.push(resource)}`;
  const [, kind, id] = IMPORTED.exec(resource) ?? [];
  if (kind === undefined) return [own];
  const imports = `audit_imports_of($${params.push(`${kind}s`)}, $${params.push(id)})`;
  return [own, `${imports} join audit_logs using (id, at) ${narrowed}`];
}

/** Ids grow with the clock of the process that made them, times may be the database's: so far apart they may be. */
const CLOCKS_APART_MS = 5 * 60_000;

function conditions(tenantId: string, filter: AuditLogFilter): { where: string[]; params: unknown[] } {
  const params: unknown[] = [tenantId];
  const where = ['tenant_id = $1'];
  for (const name of Object.keys(CONDITIONS) as (keyof typeof CONDITIONS)[]) {
    const value = filter[name];
    if (value !== undefined) where.push(CONDITIONS[name](`$${params.push(value)}`));
  }
  // The list is read in the order of ids: bounds on them keep a span of time from reading all that is newer.
  const { from, to } = filter;
  if (from) where.push(`id >= $${params.push(firstIdAt(from.getTime() - CLOCKS_APART_MS))}::uuid`);
  if (to) where.push(`id < $${params.push(firstIdAt(to.getTime() + CLOCKS_APART_MS))}::uuid`);
  return { where, params };
}
