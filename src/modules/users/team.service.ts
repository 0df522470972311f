import { Injectable } from '@nestjs/common';
import type { Actor, UserActor } from '../../common/actor';
import { CommonErrors } from '../../common/common.errors';
import { COUNT_CAP, type Page, pageOf, type PageRequest, totalOf } from '../../common/paging';
import type { TenantRole } from '../../common/permissions';
import { AuditLog } from '../../platform/audit/audit-log';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';
import { EventBus } from '../../platform/events/domain-events';
import { assertVersion, type ExpectedVersions } from '../../platform/http/etag';
import { type Renaming, TeamRepository, type UserFields, type UserFilter } from './team.repository';
import { TeamEntry, type UserDraft } from './team-entry.service';
import type { UserEntity } from './user.entity';
import { UserErrors } from './users.errors';
import { mayHandleRole } from './users.policy';
import { UsersService } from './users.service';

/** The users of a tenant, for those who look after them. */
@Injectable()
export class TeamService {
  constructor(
    private readonly db: TenantDatabase,
    private readonly team: TeamRepository,
    private readonly users: UsersService,
    private readonly entry: TeamEntry,
    private readonly audit: AuditLog,
    private readonly events: EventBus,
  ) {}

  /**
   * Takes somebody in. With an idempotency key a repeated call finds the first one's user.
   * @throws FORBIDDEN when the role may do what the actor may not
   * @throws EMAIL_TAKEN when the tenant has a user of that email
   * @throws PLAN_LIMIT_REACHED with the figure
   */
  add(actor: Actor, draft: UserDraft): Promise<UserEntity> {
    requireRights(actor, draft.role);
    return this.entry.admit(actor, draft);
  }

  /** Newest first. */
  async list(actor: Actor, filter: UserFilter, page: PageRequest): Promise<Page<UserEntity>> {
    const { tenantId } = actor;
    const [rows, counted] = await Promise.all([
      this.team.list(tenantId, filter, page),
      page.count ? this.team.count(tenantId, filter, COUNT_CAP + 1) : null,
    ]);
    return { ...pageOf(rows, page.limit), ...(counted === null ? {} : { total: totalOf(counted) }) };
  }

  /** @throws NOT_FOUND */
  get(actor: Actor, id: string): Promise<UserEntity> {
    return this.users.getById(actor.tenantId, id);
  }

  /**
   * Changes what is named; whoever acts as the user has its new rights from the next request on.
   * @throws NOT_FOUND, PRECONDITION_FAILED
   * @throws FORBIDDEN when the user's role, present or new, may do what the actor may not
   * @throws LAST_ADMIN when the tenant would be left without an active TENANT_ADMIN
   */
  async update(actor: Actor, id: string, change: Partial<UserFields>, expected: ExpectedVersions): Promise<UserEntity> {
    const { tenantId } = actor;
    const user = await this.held(actor, id, async (tx, present, isLastAdmin) => {
      assertVersion(expected, present.version);
      const wanted = { ...pick(present), ...change };
      requireRights(actor, wanted.role);
      if (isLastAdmin && (wanted.role !== 'TENANT_ADMIN' || wanted.status !== 'active')) throw UserErrors.lastAdmin();
      const metadata = differences(present, wanted);
      if (metadata.fields.length === 0) return present;
      await this.audit.record(tx, actor, { action: 'USER_UPDATED', resource: resourceOf(id), metadata });
      if (wanted.status === 'inactive') await this.events.inside(tx, 'user.ended', { tenantId, userId: id });
      return this.team.update(tx, present, wanted);
    });
    this.events.committed('user.changed', { tenantId, userId: id });
    return user;
  }

  /**
   * Removes the user: its logins end, its email is free, its name stays in the audit trail.
   * @throws NOT_FOUND, PRECONDITION_FAILED
   * @throws FORBIDDEN when the user's role may do what the actor may not
   * @throws LAST_ADMIN
   */
  async remove(actor: Actor, id: string, expected: ExpectedVersions): Promise<void> {
    const { tenantId } = actor;
    await this.held(actor, id, async (tx, user, isLastAdmin) => {
      assertVersion(expected, user.version);
      if (isLastAdmin) throw UserErrors.lastAdmin();
      const { email, name, role } = user;
      const entry = { metadata: { role }, personal: { email, name } };
      await this.audit.record(tx, actor, { action: 'USER_DELETED', resource: resourceOf(id), ...entry });
      await this.events.inside(tx, 'user.ended', { tenantId, userId: id });
      await this.team.remove(tx, user);
    });
    this.events.committed('user.changed', { tenantId, userId: id });
  }

  /**
   * Gives the actor itself another name.
   * @throws PRECONDITION_FAILED
   * @throws AUTHENTICATION_FAILED when it was removed while the request was on its way
   */
  async rename(actor: UserActor, renaming: Renaming): Promise<UserEntity> {
    const entry = { action: 'USER_UPDATED', resource: resourceOf(actor.id), metadata: { fields: ['name'] } } as const;
    const user = await this.team.rename(actor, renaming, this.audit.row(actor, entry));
    if (!user) {
      await this.users.getSelf(actor);
      throw CommonErrors.preconditionFailed();
    }
    this.events.committed('user.changed', { tenantId: actor.tenantId, userId: actor.id });
    return user;
  }

  /** Work on a user who is held, by an actor who may handle it. */
  private held<T>(
    actor: Actor,
    id: string,
    work: (tx: TenantTransaction, user: UserEntity, isLastAdmin: boolean) => Promise<T>,
  ): Promise<T> {
    const { tenantId } = actor;
    return this.db.transaction(tenantId, async (tx) => {
      const admins = await this.team.lockAdmins(tx, tenantId);
      const user = await this.team.lockById(tx, tenantId, id);
      if (!user) throw CommonErrors.notFound('user');
      requireRights(actor, user.role);
      return work(tx, user, admins.length === 1 && admins[0] === id);
    });
  }
}

const resourceOf = (id: string): string => `user:${id}`;

const pick = ({ name, role, status }: UserEntity): UserFields => ({ name, role, status });

function requireRights(actor: Actor, role: TenantRole): void {
  if (!mayHandleRole(actor, role)) throw UserErrors.beyondOwnRights();
}

/** What is recorded of a change: the names of the fields, and role and status before and after. */
function differences(from: UserFields, to: UserFields): { fields: string[] } & Record<string, unknown> {
  const fields = (['name', 'role', 'status'] as const).filter((field) => from[field] !== to[field]);
  const said = fields.filter((field) => field !== 'name').map((field) => [field, { from: from[field], to: to[field] }]);
  return { fields, ...(Object.fromEntries(said) as Record<string, unknown>) };
}
