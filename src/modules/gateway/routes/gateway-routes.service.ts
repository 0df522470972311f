import { Injectable } from '@nestjs/common';
import { isDeepStrictEqual } from 'node:util';
import type { Actor } from '../../../common/actor';
import { newId } from '../../../common/ids';
import { countedPage, type Page, type PageRequest } from '../../../common/paging';
import { AuditLog } from '../../../platform/audit/audit-log';
import { TenantDatabase, type TenantTransaction } from '../../../platform/database/tenant-database';
import { assertVersion, type ExpectedVersions } from '../../../platform/http/etag';
import { GatewayRouteErrors } from './gateway-routes.errors';
import { GatewayRoutesRepository } from './gateway-routes.repository';
import { RouteChecks } from './route-checks';
import { RouteDirectory } from './route-directory.service';
import { ROUTE_FIELDS, type RouteFields, type RouteRow } from './stored-route';

/** A route, and what its author should know of it. */
export interface RouteWithWarnings {
  row: RouteRow;
  warnings: string[];
}

/** The routes of the tenants' gateways. */
@Injectable()
export class GatewayRoutesService {
  constructor(
    private readonly db: TenantDatabase,
    private readonly routes: GatewayRoutesRepository,
    private readonly checks: RouteChecks,
    private readonly directory: RouteDirectory,
    private readonly audit: AuditLog,
  ) {}

  /** Makes a route. @throws VALIDATION_FAILED, GATEWAY_ROUTE_CONFLICT, GATEWAY_ROUTE_LIMIT */
  async create(actor: Actor, fields: RouteFields): Promise<RouteWithWarnings> {
    const { tenantId } = actor;
    const route = this.checks.checked(fields);
    const names = await this.checks.ofNames(route.upstreams);
    const id = newId();
    const row = await this.changing(tenantId, async (tx) => {
      await this.checks.assertRoom(tx, tenantId, route.path_type);
      await this.checks.assertPlace(tx, tenantId, id, route);
      const { path, path_type, methods, host } = route;
      const entry = { resource: resourceOf(id), metadata: { path, path_type, methods, host } };
      await this.audit.record(tx, actor, { action: 'GATEWAY_ROUTE_CREATED', ...entry });
      const stored = await this.routes.insert(tx, tenantId, id, route);
      await this.checks.assertBytes(tx, tenantId);
      await this.routes.bump(tx, tenantId);
      return stored;
    });
    return { row, warnings: [...(await this.checks.warnings(row)), ...names] };
  }

  /** Newest first. */
  list({ tenantId }: Actor, page: PageRequest): Promise<Page<RouteRow>> {
    return countedPage(page, this.routes.list(tenantId, page), (cap) => this.routes.count(tenantId, cap));
  }

  /** @throws NOT_FOUND */
  async get({ tenantId }: Actor, id: string): Promise<RouteWithWarnings> {
    return this.withWarnings(found(await this.routes.findById(tenantId, id)));
  }

  /** What its author should know of a route. */
  async withWarnings(row: RouteRow): Promise<RouteWithWarnings> {
    return { row, warnings: await this.checks.warnings(row) };
  }

  /**
   * Changes what is named; what changes nothing leaves no trace.
   * @throws NOT_FOUND, PRECONDITION_FAILED, and as `create`
   */
  async update(
    actor: Actor,
    id: string,
    change: Partial<RouteFields>,
    expected: ExpectedVersions,
  ): Promise<RouteWithWarnings> {
    const { tenantId } = actor;
    const names = change.upstreams ? await this.checks.ofNames(change.upstreams) : [];
    const row = await this.changing(tenantId, async (tx) => {
      const before = found(await this.routes.lockById(tx, tenantId, id));
      assertVersion(expected, before.version);
      const after = this.checks.checked({ ...before, ...change });
      const changed = ROUTE_FIELDS.filter((field) => !isDeepStrictEqual(before[field], after[field]));
      if (changed.length === 0) return before;
      if (after.path_type === 'regex' && before.path_type !== 'regex')
        await this.checks.assertPatternRoom(tx, tenantId);
      await this.checks.assertPlace(tx, tenantId, id, after);
      const entry = { resource: resourceOf(id), metadata: { changed } };
      await this.audit.record(tx, actor, { action: 'GATEWAY_ROUTE_UPDATED', ...entry });
      const stored = await this.routes.update(tx, tenantId, id, after);
      if (charactersOf(after) > charactersOf(before)) await this.checks.assertBytes(tx, tenantId);
      await this.routes.bump(tx, tenantId);
      return stored;
    });
    return { row, warnings: [...(await this.checks.warnings(row)), ...names] };
  }

  /** Removes it. @throws NOT_FOUND, PRECONDITION_FAILED */
  async remove(actor: Actor, id: string, expected: ExpectedVersions): Promise<void> {
    const { tenantId } = actor;
    await this.changing(tenantId, async (tx) => {
      const { version, path, path_type } = found(await this.routes.lockById(tx, tenantId, id));
      assertVersion(expected, version);
      const entry = { resource: resourceOf(id), metadata: { path, path_type } };
      await this.audit.record(tx, actor, { action: 'GATEWAY_ROUTE_DELETED', ...entry });
      await this.routes.remove(tx, tenantId, id);
      await this.routes.bump(tx, tenantId);
    });
  }

  /** One transaction that holds all routes of the tenant; after it nobody here is served by the former ones. */
  private changing<T>(tenantId: string, work: (tx: TenantTransaction) => Promise<T>): Promise<T> {
    return this.directory.changing(tenantId, () =>
      this.db.transaction(tenantId, async (tx) => {
        await this.routes.lockAll(tx, tenantId);
        return work(tx);
      }),
    );
  }
}

const charactersOf = ({ path, rewrite, upstreams, headers }: RouteFields): number =>
  JSON.stringify([path, rewrite, upstreams, headers]).length;

const resourceOf = (id: string): string => `gateway-route:${id}`;

function found(row: RouteRow | null): RouteRow {
  if (!row) throw GatewayRouteErrors.notFound();
  return row;
}
