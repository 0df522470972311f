import { Injectable } from '@nestjs/common';
import { CommonErrors } from '../../common/common.errors';
import { isId } from '../../common/ids';
import { type Limits, limitsOf } from '../../common/plans';
import { after, type Soon } from '../../common/soon';
import { LastingMemory } from '../../platform/cache/lasting-memory';
import { EventBus } from '../../platform/events/domain-events';
import { accessOf } from '../../platform/facts/access-changes';
import { type Fact, FACT_TTL_MS, SharedFacts } from '../../platform/facts/shared-facts';
import { TenantDirectory } from '../../platform/http/tenant-directory';
import { TenantsRepository } from './tenants.repository';

const KEPT_MAX = 20_000;
/** From this age on a tenant in use is asked for anew beside the requests, by one process for all, so that none has to wait for it. */
const REFRESH_MS = 3_500;
/** While the database has no answer, what it said last serves for so long, as keys and routes do. */
const STALE_MS = 30_000;
const PATIENCE_MS = 1_000;
const DEADLINE_MS = 5_000;
const RETRY_MS = 1_000;

/** What requests ask of a tenant. */
interface TenantFact {
  slug: string;
  limits: Limits;
  time_zone: string;
}

/**
 * Tenants, for the requests that need them: of this process, else of what replicas share through Redis, else of the database, in one
 * query however many ask. Up to 5 s old; a change made here, or heard of, shows at once.
 */
@Injectable()
export class CachedTenantDirectory extends TenantDirectory {
  private readonly known: LastingMemory<TenantFact | null>;

  constructor(
    private readonly facts: SharedFacts,
    private readonly tenants: TenantsRepository,
    events: EventBus,
  ) {
    super();
    this.known = new LastingMemory({
      load: (id) => this.facts.find({ kind: 'tenant', id, read: () => this.read(id), youngerThanMs: REFRESH_MS }),
      keeps: (_tenantId, tenant) => tenant !== null,
      ...{ max: KEPT_MAX, ttlMs: FACT_TTL_MS, refreshMs: REFRESH_MS, staleMs: STALE_MS, servesOutdated: false },
      ...{ patienceMs: PATIENCE_MS, deadlineMs: DEADLINE_MS, retryMs: RETRY_MS },
    });
    events.hears('tenant.changed', ({ tenantId }) => this.known.outdate(tenantId));
  }

  override async slugOf(tenantId: string): Promise<string> {
    return (await this.of(tenantId)).slug;
  }

  override async idOf(idOrSlug: string): Promise<string> {
    const id = isId(idOrSlug) ? idOrSlug.toLowerCase() : await this.tenants.findIdBySlug(idOrSlug);
    if (!id) throw CommonErrors.tenantNotFound();
    await this.of(id); // one that is being deleted still holds its slug
    return id;
  }

  override limitsOf(tenantId: string): Soon<Limits> {
    return after(this.of(tenantId), ({ limits }) => limits);
  }

  override async timeZoneOf(tenantId: string): Promise<string> {
    return (await this.of(tenantId)).time_zone;
  }

  private of(tenantId: string): Soon<TenantFact> {
    return after(this.known.get(tenantId), found);
  }

  private async read(tenantId: string): Promise<Fact<TenantFact> | null> {
    const tenant = await this.tenants.findById(tenantId);
    if (!tenant) return null;
    const { slug, plan, quotas, settings } = tenant;
    const zone = settings.time_zone;
    const value = { slug, limits: limitsOf(plan, quotas), time_zone: typeof zone === 'string' ? zone : 'UTC' };
    return { about: accessOf(tenantId), value };
  }
}

function found(tenant: TenantFact | null): TenantFact {
  if (!tenant) throw CommonErrors.tenantNotFound();
  return tenant;
}
