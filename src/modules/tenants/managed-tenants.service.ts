import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { CommonErrors } from '../../common/common.errors';
import { COUNT_CAP, type Page, pageOf, type PageRequest, totalOf } from '../../common/paging';
import { AuditLog } from '../../platform/audit/audit-log';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';
import { EventBus } from '../../platform/events/domain-events';
import { AccessChanges } from '../../platform/facts/access-changes';
import { assertVersion, type ExpectedVersions } from '../../platform/http/etag';
import { ORDER_MESSAGES, type OrderMessageSettings } from './order-message-settings';
import { DEMO_SLUG } from './tenant-slug';
import { changedSettings, mergedSettings, requireSound, type SettingsChange } from './tenant-settings';
import type { TenantEntity } from './tenant.entity';
import { TenantErrors } from './tenants.errors';
import { type TenantFilter, TenantsRepository } from './tenants.repository';

type Terms = Pick<TenantEntity, 'name' | 'slug' | 'plan' | 'quotas'>;

/** What the platform says of a new tenant. */
export interface TenantTerms extends Terms {
  settings: SettingsChange;
}

/** What is to change of a tenant; quotas are replaced as a whole. */
export interface TenantChange extends Partial<Terms & Pick<TenantEntity, 'status'>> {
  settings?: SettingsChange;
}

/** A change, and the versions of the tenant that it is meant for. */
export interface MeantChange<C> {
  change: C;
  expected: ExpectedVersions;
}

const FIELDS = ['name', 'slug', 'plan', 'status', 'quotas'] as const;

/** Tenants as the platform, and their own administrators, administer them. */
@Injectable()
export class ManagedTenants {
  constructor(
    private readonly db: TenantDatabase,
    private readonly tenants: TenantsRepository,
    private readonly audit: AuditLog,
    private readonly changes: AccessChanges,
    private readonly events: EventBus,
  ) {}

  /** All tenants of the installation, newest first. */
  async list(filter: TenantFilter, request: PageRequest): Promise<Page<TenantEntity>> {
    const page = pageOf(await this.tenants.list(filter, request), request.limit);
    if (!request.count) return page;
    return { ...page, total: totalOf(await this.tenants.count(filter, COUNT_CAP + 1)) };
  }

  /** Null when there is no such tenant. */
  find(id: string): Promise<TenantEntity | null> {
    return this.tenants.findById(id);
  }

  /** @throws NOT_FOUND */
  async get(id: string): Promise<TenantEntity> {
    return found(await this.find(id));
  }

  /**
   * Refuses a new tenant before anything costly is done for it; gives its settings as they are to be stored.
   * @throws SLUG_TAKEN, VALIDATION_FAILED
   */
  async requireFoundable(id: string, { slug, settings }: TenantTerms): Promise<TenantEntity['settings']> {
    if (slug === DEMO_SLUG || (await this.tenants.findIdBySlug(slug))) throw TenantErrors.slugTaken();
    const stored = mergedSettings({}, await this.checked(id, settings));
    requireSound(stored);
    return stored;
  }

  /**
   * Founds a tenant on the platform's terms in its own transaction, on record; once that is committed, `founded` is to be told.
   * @throws SLUG_TAKEN: of two at once one gets it
   */
  async found(
    tx: TenantTransaction,
    actor: Actor,
    tenant: Terms & Pick<TenantEntity, 'id' | 'settings'>,
  ): Promise<TenantEntity> {
    const { id, name, slug, plan } = tenant;
    if (!(await this.tenants.insert(tx, tenant))) throw TenantErrors.slugTaken();
    await this.audit.recordOfTenant(tx, id, actor, {
      action: 'TENANT_CREATED',
      resource: resourceOf(id),
      metadata: { slug, plan },
      personal: { name },
    });
    return found(await this.tenants.lockById(tx, id));
  }

  /** The founding is committed. */
  founded(tenantId: string): void {
    this.events.committed('tenant.changed', { tenantId });
  }

  /**
   * Changes what is named. A tenant that is suspended is so from the next request on.
   * @throws NOT_FOUND, PRECONDITION_FAILED, SLUG_TAKEN, VALIDATION_FAILED
   */
  async update(actor: Actor, id: string, { change, expected }: MeantChange<TenantChange>): Promise<TenantEntity> {
    const settings = change.settings && (await this.checked(id, change.settings));
    const work = async (tx: TenantTransaction) => {
      const before = found(await this.tenants.lockById(tx, id));
      assertVersion(expected, before.version);
      const after = { ...before, ...change, settings: mergedSettings(before.settings, settings ?? {}) };
      return this.write(tx, actor, { before, after });
    };
    return this.changes.ofTenant(id, () => this.db.transaction(id, work));
  }

  /** Changes the settings of the actor's own tenant. @throws PRECONDITION_FAILED, VALIDATION_FAILED */
  updateOwn(actor: Actor, { change, expected }: MeantChange<SettingsChange>): Promise<TenantEntity> {
    return this.update(actor, actor.tenantId, { change: { settings: change }, expected });
  }

  private async write(
    tx: TenantTransaction,
    actor: Actor,
    { before, after }: { before: TenantEntity; after: TenantEntity },
  ): Promise<TenantEntity> {
    const metadata = whatChanged(before, after);
    if (metadata.fields.length === 0) return before;
    if (after.slug !== before.slug && after.slug === DEMO_SLUG) throw TenantErrors.slugTaken();
    requireSound(after.settings);
    await this.audit.recordOfTenant(tx, after.id, actor, {
      action: 'TENANT_UPDATED',
      resource: resourceOf(after.id),
      metadata,
      ...(before.name === after.name ? {} : { personal: { name: after.name } }),
    });
    return this.tenants.update(tx, after);
  }

  /** What only the database knows. @throws VALIDATION_FAILED */
  private async checked(tenantId: string, settings: SettingsChange): Promise<SettingsChange> {
    await this.requireSendable(tenantId, settings.order_messages ?? {});
    return this.spelt(tenantId, settings);
  }

  /** Of what is set: what goes later keeps no order from being made. @throws VALIDATION_FAILED that names each id of nothing */
  private async requireSendable(tenantId: string, messages: Partial<OrderMessageSettings>): Promise<void> {
    const set = ORDER_MESSAGES.flatMap((name) => (messages[name] ? [{ name, ...messages[name] }] : []));
    if (set.length === 0) return;
    const sessions = set.flatMap(({ session_id: id }) => id ?? []);
    const missing = await this.tenants.missing(
      tenantId,
      set.map(({ template_id: id }) => id),
      sessions,
    );
    const faults = set.flatMap((message) =>
      (['template_id', 'session_id'] as const).flatMap((part) => {
        if (!missing.has(message[part] ?? '')) return [];
        const field = `order_messages.${message.name}.${part}`;
        return [{ field, message: `${field} is none of the tenant's` }];
      }),
    );
    if (faults.length > 0) throw CommonErrors.validation(faults);
  }

  /** The time zone as the database spells it, which has to reckon with it. @throws VALIDATION_FAILED for one that it does not know */
  private async spelt(tenantId: string, settings: SettingsChange): Promise<SettingsChange> {
    if (settings.time_zone === undefined) return settings;
    const zone = await this.tenants.findTimeZone(tenantId, settings.time_zone);
    if (!zone) throw CommonErrors.invalidField('time_zone', 'time_zone is not known to the database');
    return { ...settings, time_zone: zone };
  }
}

const resourceOf = (id: string): string => `tenant:${id}`;

function found(tenant: TenantEntity | null): TenantEntity {
  if (!tenant) throw CommonErrors.notFound('tenant');
  return tenant;
}

/** For the record: the names of the fields, and what can be told of a change without telling anything personal. */
function whatChanged(before: TenantEntity, after: TenantEntity): { fields: string[] } & Record<string, unknown> {
  const own = FIELDS.filter((field) => !isDeepStrictEqual(before[field], after[field]));
  const settings = changedSettings(before.settings, after.settings).map((name) => `settings.${name}`);
  const fromTo = (['plan', 'status'] as const)
    .filter((field) => own.includes(field))
    .map((field) => [field, { from: before[field], to: after[field] }] as const);
  return { fields: [...own, ...settings], ...Object.fromEntries(fromTo) };
}
