import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { CommonErrors } from '../../common/common.errors';
import { newId } from '../../common/ids';
import { COUNT_CAP, type Page, pageOf, type PageRequest, totalOf } from '../../common/paging';
import { AuditLog } from '../../platform/audit/audit-log';
import { ShortMemory } from '../../platform/cache/short-memory';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';
import { EventBus } from '../../platform/events/domain-events';
import { AccessChanges } from '../../platform/facts/access-changes';
import { assertVersion, type ExpectedVersions } from '../../platform/http/etag';
import { newPrefix, newSecret } from './api-key.secret';
import { ApiKeyErrors } from './api-keys.errors';
import { type KeyBounds, looserBounds, mayHandle } from './api-keys.policy';
import { type ApiKeyRow, ApiKeysRepository, type KeySettings } from './api-keys.repository';
import { changedFields, merged, requireSound } from './key-settings';

export type { ApiKeyRow };

/** A key with its secret, which is shown this once. */
export interface FreshKey {
  row: ApiKeyRow;
  key: string;
}

/** How long another replica's change of a key's name may stay unnoticed here. */
const NAME_TTL_MS = 5_000;

/** API keys: the service accounts of a tenant. */
@Injectable()
export class ApiKeysService {
  private readonly selves = new ShortMemory<ApiKeyRow>({ max: 20_000, ttlMs: NAME_TTL_MS });

  constructor(
    private readonly db: TenantDatabase,
    private readonly keys: ApiKeysRepository,
    private readonly changes: AccessChanges,
    private readonly audit: AuditLog,
    events: EventBus,
  ) {
    events.hears('key.changed', ({ keyId }) => this.selves.forget(keyId));
  }

  /**
   * Makes a key.
   * @throws VALIDATION_FAILED unless it has exactly one of role and scopes, and ends in the future if at all
   * @throws FORBIDDEN when it would hold what the actor does not hold
   * @throws KEY_BOUNDS_EXCEEDED when the actor is a key and the new one would be looser
   */
  async create(actor: Actor, settings: KeySettings): Promise<FreshKey> {
    requireSound(settings);
    requireOwn(actor, await this.boundsOf(actor), settings);
    const id = newId();
    const prefix = newPrefix();
    const { key, hash } = newSecret(prefix);
    const { name, role, scopes, expires_at } = settings;
    const metadata = { prefix, role, scopes, expires_at };
    const record = this.audit.row(actor, {
      action: 'API_KEY_CREATED',
      resource: resourceOf(id),
      metadata,
      personal: { name },
    });
    const row = await this.keys.insert(actor.tenantId, { ...settings, id, prefix, hash, createdBy: actor.id }, record);
    return { row, key };
  }

  /** The tenant's keys, newest first; revoked ones are gone. */
  async list(actor: Actor, page: PageRequest): Promise<Page<ApiKeyRow>> {
    const { tenantId } = actor;
    const [rows, counted] = await Promise.all([
      this.keys.list(tenantId, page),
      page.count ? this.keys.count(tenantId, COUNT_CAP + 1) : null,
    ]);
    return { ...pageOf(rows, page.limit), ...(counted === null ? {} : { total: totalOf(counted) }) };
  }

  /** @throws NOT_FOUND */
  async get(actor: Actor, id: string): Promise<ApiKeyRow> {
    return found(await this.keys.findById(actor.tenantId, id));
  }

  /** The key that is calling; up to 5 s old. @throws AUTHENTICATION_FAILED when it was revoked a moment ago */
  getSelf(actor: Actor): ApiKeyRow | Promise<ApiKeyRow> {
    return this.selves.get(actor.id, async () => {
      const row = await this.keys.findById(actor.tenantId, actor.id);
      if (!row) throw CommonErrors.authenticationFailed();
      return row;
    });
  }

  /**
   * Changes what is named.
   * @throws NOT_FOUND, PRECONDITION_FAILED
   * @throws VALIDATION_FAILED as `create`
   * @throws FORBIDDEN when the key holds, or would hold, what the actor does not hold
   * @throws KEY_BOUNDS_EXCEEDED when the actor is a key and this one is looser, or would be
   */
  update(actor: Actor, id: string, change: KeyChange): Promise<ApiKeyRow> {
    return this.change(actor, id, async (tx, key, bounds) => {
      assertVersion(change.expected, key.version);
      const wanted = merged(key, change.settings);
      requireSound(wanted, change.settings);
      requireOwn(actor, bounds, wanted);
      const fields = changedFields(key, wanted);
      if (fields.length === 0) return key;
      const metadata = { fields };
      await this.audit.record(tx, actor, { action: 'API_KEY_UPDATED', resource: resourceOf(id), metadata });
      return this.keys.update(tx, actor.tenantId, wanted);
    });
  }

  /**
   * Gives the key another secret; the present one works on for so many seconds, and the one before it no longer.
   * @throws NOT_FOUND, PRECONDITION_FAILED
   * @throws FORBIDDEN when the key holds what the actor does not hold
   * @throws KEY_BOUNDS_EXCEEDED when the actor is a key and this one is looser
   */
  async rotate(actor: Actor, id: string, { graceS, expected }: KeyRotation): Promise<FreshKey> {
    let key = '';
    const row = await this.change(actor, id, async (tx, present) => {
      assertVersion(expected, present.version);
      const next = newSecret(present.prefix);
      key = next.key;
      const metadata = { grace_s: graceS };
      await this.audit.record(tx, actor, { action: 'API_KEY_ROTATED', resource: resourceOf(id), metadata });
      return this.keys.rotate(tx, actor.tenantId, id, { hash: next.hash, graceS });
    });
    return { row, key };
  }

  /** Ends the key, its access tokens included. @throws NOT_FOUND, PRECONDITION_FAILED */
  revoke(actor: Actor, id: string, expected: ExpectedVersions): Promise<void> {
    return this.changing(actor, id, async (tx) => {
      const key = found(await this.keys.lockById(tx, actor.tenantId, id));
      assertVersion(expected, key.version);
      await this.audit.record(tx, actor, { action: 'API_KEY_REVOKED', resource: resourceOf(id) });
      await this.keys.revoke(tx, actor.tenantId, id);
    });
  }

  /** A change to a key that is locked, whose present rights the actor must hold and whose bounds must not be looser than its own. */
  private async change(
    actor: Actor,
    id: string,
    work: (tx: TenantTransaction, key: ApiKeyRow, bounds: KeyBounds | null) => Promise<ApiKeyRow>,
  ): Promise<ApiKeyRow> {
    const own = await this.boundsOf(actor);
    return this.changing(actor, id, async (tx) => {
      const key = found(await this.keys.lockById(tx, actor.tenantId, id));
      // Of a key that changes itself, what is locked counts: it may have been tightened a moment ago.
      const bounds = own?.id === id ? key : own;
      requireOwn(actor, bounds, key);
      return work(tx, key, bounds);
    });
  }

  /** A transaction from whose end on nobody is let in by what was known of the key before. */
  private changing<T>({ tenantId }: Actor, keyId: string, work: (tx: TenantTransaction) => Promise<T>): Promise<T> {
    return this.changes.ofKey({ tenantId, keyId }, () => this.db.transaction(tenantId, work));
  }

  /** What a key that calls is bound by, asked of the database now; null for whoever is no key. @throws AUTHENTICATION_FAILED */
  private async boundsOf(actor: Actor): Promise<ApiKeyRow | null> {
    if (actor.kind !== 'key') return null;
    const own = await this.keys.findById(actor.tenantId, actor.id);
    if (!own) throw CommonErrors.authenticationFailed(); // revoked a moment ago
    return own;
  }
}

/** What is to change, and the versions of the key that it is meant for. */
export interface KeyChange {
  settings: Partial<KeySettings>;
  expected: ExpectedVersions;
}

/** How long the present secret works on, and the versions of the key that the rotation is meant for. */
export interface KeyRotation {
  graceS: number;
  expected: ExpectedVersions;
}

const resourceOf = (id: string): string => `api-key:${id}`;

function found(row: ApiKeyRow | null): ApiKeyRow {
  if (!row) throw CommonErrors.notFound('API key');
  return row;
}

/** @param bounds those of the key that calls; null for whoever is bound by none */
function requireOwn(actor: Actor, bounds: KeyBounds | null, key: KeySettings): void {
  if (!mayHandle(actor, key)) throw ApiKeyErrors.beyondOwnRights();
  const looser = bounds ? looserBounds(bounds, key) : [];
  if (looser.length > 0) throw ApiKeyErrors.beyondOwnBounds(looser);
}
