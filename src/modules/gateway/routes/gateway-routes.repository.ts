import { Injectable } from '@nestjs/common';
import type { PageRequest } from '../../../common/paging';
import { TenantDatabase, type TenantTransaction } from '../../../platform/database/tenant-database';
import { SealedHeaders, type Stored } from './sealed-headers';
import type { RouteFields, RouteRow, ServedRow } from './stored-route';

/** The routes of a tenant as they stood together at one moment. */
export interface RouteSet {
  /** Grows with each change; 0 before the first one. */
  version: number;
  rows: ServedRow[];
}

const FIELDS = `path, path_type, methods, host, priority, upstreams, strategy, strip_prefix, rewrite, timeout_ms, retries,
  headers, rate_limit_per_minute, enabled`;
const COLUMNS = `id, ${FIELDS}, version, created_at, updated_at`;

const INSERT = `insert into gateway_routes (tenant_id, id, ${FIELDS})
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) returning ${COLUMNS}`;

const UPDATE = `update gateway_routes set path = $3, path_type = $4, methods = $5, host = $6, priority = $7, upstreams = $8,
    strategy = $9, strip_prefix = $10, rewrite = $11, timeout_ms = $12, retries = $13, headers = $14,
    rate_limit_per_minute = $15, enabled = $16, version = version + 1, updated_at = now()
  where tenant_id = $1 and id = $2 returning ${COLUMNS}`;

const CLASH = `select id from gateway_routes
  where tenant_id = $1 and path_type = $2 and path = $3 and host is not distinct from $4 and enabled
    and (methods is null or $5::text[] is null or methods && $5::text[]) and id <> $6
  order by id limit 1`;

/** Routes of one answer: to read it takes some milliseconds of the event loop. */
const PAGE_ROWS = 500;
/** Before every id. */
const FIRST = '00000000-0000-0000-0000-000000000000';

// One statement, so that version and routes are of one moment.
const PAGE = `select v.table_version, r.* from (
    select coalesce(max(version), 0)::int as table_version from gateway_tables where tenant_id = $1) v
  left join (select id, ${FIELDS} from gateway_routes where tenant_id = $1 and enabled and id > $2
    order by id limit ${PAGE_ROWS}) r on true
  order by r.id`;

/** Without a route there is a row all the same, of nothing but the version. */
type PageRow = { table_version: number } & (Stored<ServedRow> | { id: null });

/** The queries on the gateway's routes. The values of their headers are sealed in the table, and plain on both sides of it. */
@Injectable()
export class GatewayRoutesRepository {
  constructor(
    private readonly db: TenantDatabase,
    private readonly headers: SealedHeaders,
  ) {}

  /** Holds all routes of the tenant for this transaction: what is decided by looking at the others holds until its end. */
  async lockAll(tx: TenantTransaction, tenantId: string): Promise<void> {
    await tx.query(`select pg_advisory_xact_lock(hashtextextended('gateway routes of ' || $1::text, 0))`, [tenantId]);
  }

  /** Makes all that is kept of the tenant's routes out of date. */
  async bump(tx: TenantTransaction, tenantId: string): Promise<void> {
    const text = `insert into gateway_tables as t (tenant_id) values ($1)
      on conflict (tenant_id) do update set version = t.version + 1`;
    await tx.query(text, [tenantId]);
  }

  /** How many there are. */
  async counts(tx: TenantTransaction, tenantId: string): Promise<{ routes: number; patterns: number }> {
    const text = `select count(*)::int as routes, count(*) filter (where path_type = 'regex')::int as patterns
      from gateway_routes where tenant_id = $1`;
    const [row] = await tx.query<{ routes: number; patterns: number }>(text, [tenantId]);
    return row ?? { routes: 0, patterns: 0 };
  }

  /** What all that may be long of them takes, in bytes as it is read: what is stored may be compressed to a tenth. */
  async storedBytes(tx: TenantTransaction, tenantId: string): Promise<number> {
    const text = `select coalesce(sum(octet_length(path) + coalesce(octet_length(host), 0) + coalesce(octet_length(rewrite), 0)
        + coalesce(octet_length(methods::text), 0) + octet_length(upstreams::text) + octet_length(headers::text)), 0)::float8 as bytes
      from gateway_routes where tenant_id = $1`;
    const [row] = await tx.query<{ bytes: number }>(text, [tenantId]);
    return row?.bytes ?? 0;
  }

  /** Another enabled route that takes the same path, host and one of the methods; null where there is none. */
  async clash(tx: TenantTransaction, tenantId: string, id: string, route: RouteFields): Promise<string | null> {
    const { path_type, path, host, methods } = route;
    const [row] = await tx.query<{ id: string }>(CLASH, [tenantId, path_type, path, host, methods, id]);
    return row?.id ?? null;
  }

  /** The regular expressions of the enabled routes but that one. */
  async patternsBeside(tx: TenantTransaction, tenantId: string, id: string): Promise<string[]> {
    const text = `select path from gateway_routes where tenant_id = $1 and path_type = 'regex' and enabled and id <> $2`;
    return (await tx.query<{ path: string }>(text, [tenantId, id])).map(({ path }) => path);
  }

  /** Stores a route of an id that no other has. */
  async insert(tx: TenantTransaction, tenantId: string, id: string, route: RouteFields): Promise<RouteRow> {
    return this.written(tx, INSERT, { tenantId, id, route });
  }

  /** Writes all that people say of a route that is held. */
  async update(tx: TenantTransaction, tenantId: string, id: string, route: RouteFields): Promise<RouteRow> {
    return this.written(tx, UPDATE, { tenantId, id, route });
  }

  /** Removes a route that is held. */
  async remove(tx: TenantTransaction, tenantId: string, id: string): Promise<void> {
    await tx.query(`delete from gateway_routes where tenant_id = $1 and id = $2`, [tenantId, id]);
  }

  /** Null when there is none. */
  async findById(tenantId: string, id: string): Promise<RouteRow | null> {
    const text = `select ${COLUMNS} from gateway_routes where tenant_id = $1 and id = $2`;
    const [row] = await this.db.query<Stored<RouteRow>>(tenantId, text, [tenantId, id]);
    return row ? this.headers.opened(tenantId, row) : null;
  }

  /** The same, held for this transaction. */
  async lockById(tx: TenantTransaction, tenantId: string, id: string): Promise<RouteRow | null> {
    const text = `select ${COLUMNS} from gateway_routes where tenant_id = $1 and id = $2 for update`;
    const [row] = await tx.query<Stored<RouteRow>>(text, [tenantId, id]);
    return row ? this.headers.opened(tenantId, row) : null;
  }

  /** Newest first, one more than asked for. */
  async list(tenantId: string, { limit, cursor, offset }: PageRequest): Promise<RouteRow[]> {
    const text = `select ${COLUMNS} from gateway_routes where tenant_id = $1 and ($2::uuid is null or id < $2)
      order by id desc limit $3 offset $4`;
    const params = [tenantId, cursor ?? null, limit + 1, offset ?? 0];
    const rows = await this.db.query<Stored<RouteRow>>(tenantId, text, params);
    return rows.map((row) => this.headers.opened(tenantId, row));
  }

  /** How many there are, counted no further than the cap. */
  async count(tenantId: string, cap: number): Promise<number> {
    const text = `select count(*)::int as count from (select from gateway_routes where tenant_id = $1 limit $2) r`;
    const [row] = await this.db.query<{ count: number }>(tenantId, text, [tenantId, cap]);
    return row?.count ?? 0;
  }

  /** With which change the routes of the tenant are now; 0 before the first one. */
  async version(tenantId: string): Promise<number> {
    const text = `select version from gateway_tables where tenant_id = $1`;
    const [row] = await this.db.query<{ version: number }>(tenantId, text, [tenantId]);
    return row?.version ?? 0;
  }

  /** The enabled routes of the tenant, oldest first. Many are read in pages, with all else that goes on in between. */
  async load(tenantId: string): Promise<RouteSet> {
    const page = await this.db.query<PageRow>(tenantId, PAGE, [tenantId, FIRST]);
    const rows = page.length < PAGE_ROWS ? page : await this.pages(tenantId);
    const routes = rows.flatMap((row) => (row.id === null ? [] : [row]));
    return { version: rows[0]?.table_version ?? 0, rows: await this.headers.openedAll(tenantId, routes) };
  }

  private pages(tenantId: string): Promise<PageRow[]> {
    return this.db.snapshot(tenantId, async (tx) => {
      const rows: PageRow[] = [];
      for (;;) {
        const page = await tx.query<PageRow>(PAGE, [tenantId, rows.at(-1)?.id ?? FIRST]);
        rows.push(...page);
        if (page.length < PAGE_ROWS) return rows;
      }
    });
  }

  private async written(
    tx: TenantTransaction,
    text: string,
    { tenantId, id, route }: { tenantId: string; id: string; route: RouteFields },
  ): Promise<RouteRow> {
    const headers = this.headers.sealed(tenantId, id, route.headers);
    const [row] = await tx.query<Stored<RouteRow>>(text, [tenantId, id, ...valuesOf({ ...route, headers })]);
    if (!row) throw new Error('A route that was held is gone');
    return this.headers.opened(tenantId, row);
  }
}

const valuesOf = (route: Stored<RouteFields>): unknown[] => [
  route.path,
  route.path_type,
  route.methods,
  route.host,
  route.priority,
  JSON.stringify(route.upstreams), // an array would go as one of PostgreSQL's
  route.strategy,
  route.strip_prefix,
  route.rewrite,
  route.timeout_ms,
  route.retries,
  route.headers,
  route.rate_limit_per_minute,
  route.enabled,
];
