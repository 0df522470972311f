import { Injectable } from '@nestjs/common';
import { type Actor, isUser, type UserActor, permissionsOfActor, PLATFORM_TENANT_ID } from '../../common/actor';
import type { Permission } from '../../common/permissions';
import type { Soon } from '../../common/soon';
import { ShortMemory } from '../../platform/cache/short-memory';
import { EventBus } from '../../platform/events/domain-events';
import { type ApiKeyRow, ApiKeysService } from '../api-keys/api-keys.service';
import { type TenantEntity, TenantsService } from '../tenants/tenants.service';
import { type UserEntity, UsersService } from '../users/users.service';

/** Who is calling, and what they may do. */
export interface Profile {
  /** Null where no person is calling. */
  user: UserEntity | null;
  /** Null where no API key is calling. */
  apiKey: ApiKeyRow | null;
  /** Null for a platform administrator who has selected no tenant. */
  tenant: TenantEntity | null;
  permissions: readonly Permission[];
}

/** How long a change made by another replica may stay unnoticed here. */
const RECENT = { max: 20_000, ttlMs: 5_000 };

/** The profiles of callers. Clients ask for theirs on every page: users and tenants read a moment ago are not read again. */
@Injectable()
export class Profiles {
  private readonly recentUsers = new ShortMemory<UserEntity>(RECENT);
  private readonly recentTenants = new ShortMemory<TenantEntity>(RECENT);
  /** By the actor, which lives as long as it is remembered who acts, and never changes. */
  private readonly permissions = new WeakMap<Actor, Permission[]>();

  constructor(
    private readonly users: UsersService,
    private readonly keys: ApiKeysService,
    private readonly tenants: TenantsService,
    events: EventBus,
  ) {
    events.hears('user.changed', ({ userId }) => this.recentUsers.forget(userId));
    events.hears('tenant.changed', ({ tenantId }) => this.recentTenants.forget(tenantId));
  }

  /** The actor's user or key, its tenant and its permissions. */
  of(actor: Actor): Soon<Profile> {
    const user = isUser(actor) ? this.userOf(actor) : null;
    const apiKey = actor.kind === 'key' ? this.keys.getSelf(actor) : null;
    const tenant = actor.tenantId === PLATFORM_TENANT_ID ? null : this.tenantOf(actor);
    const permissions = this.permissionsOf(actor);
    if (user instanceof Promise || apiKey || tenant instanceof Promise)
      return gathered(permissions, user, apiKey, tenant);
    return { user, apiKey, tenant, permissions };
  }

  /** The user who is calling; up to 5 s old. @throws AUTHENTICATION_FAILED when it was removed a moment ago */
  userOf(actor: UserActor): Soon<UserEntity> {
    return this.recentUsers.get(actor.id, () => this.users.getSelf(actor));
  }

  private tenantOf(actor: Actor): Soon<TenantEntity> {
    return this.recentTenants.get(actor.tenantId, () => this.tenants.getOwn(actor));
  }

  private permissionsOf(actor: Actor): Permission[] {
    const known = this.permissions.get(actor);
    if (known) return known;
    const permissions = permissionsOfActor(actor);
    this.permissions.set(actor, permissions);
    return permissions;
  }
}

async function gathered(
  permissions: readonly Permission[],
  user: Soon<UserEntity> | null,
  apiKey: Soon<ApiKeyRow> | null,
  tenant: Soon<TenantEntity> | null,
): Promise<Profile> {
  const [known, key, its] = await Promise.all([user, apiKey, tenant]);
  return { user: known, apiKey: key, tenant: its, permissions };
}
