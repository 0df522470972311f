import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { type Actor, userActor } from '../../common/actor';
import { after, type Soon } from '../../common/soon';
import { EventBus } from '../../platform/events/domain-events';
import { type LoginRef, LoginsRepository } from './logins.repository';

/** How long a change made by another replica may stay unnoticed here (spec: 5 s at most). */
const TTL_MS = 5_000;
const KEPT_MAX = 50_000;

/** Boxed, so that a login known to be dead differs from one not asked for yet. */
interface Known {
  actor: Actor | null;
}

/**
 * Which logins still live, and in what role: asked of the database once in 5 s for each login, and at once after this
 * process has ended one. While the database is away, what is known serves until its time is over.
 */
@Injectable()
export class LiveLogins {
  private readonly known: LRUCache<string, Known>;
  private readonly loading = new Map<string, Promise<Known>>();

  constructor(
    private readonly logins: LoginsRepository,
    events: EventBus,
  ) {
    this.known = new LRUCache({ max: KEPT_MAX, ttl: TTL_MS });
    events.hears('user.changed', ({ tenantId, userId }) => this.forgetAll(tenantId, userId));
    events.hears('user.ended', ({ tenantId, userId }) => this.forgetAll(tenantId, userId));
    events.hears('tenant.changed', ({ tenantId }) => this.forgetAll(tenantId));
  }

  /** Who acts through the login; null when it has ended, or its user or tenant is not active. */
  actorOf(ref: LoginRef): Soon<Actor | null> {
    const key = keyOf(ref);
    const known: Soon<Known> = this.known.get(key) ?? this.loading.get(key) ?? this.load(key, ref);
    return after(known, ({ actor }) => actor);
  }

  /** Asks the database the next time; an answer that is on its way now is not kept. */
  forget(ref: LoginRef): void {
    const key = keyOf(ref);
    this.known.delete(key);
    this.loading.delete(key);
  }

  /**
   * Forgets every login of the tenant, or of one of its users. What is known to be dead may be alive again, and what is on its
   * way may be of the user: both are asked for anew. Looks at all that is known: such changes are rare.
   */
  private forgetAll(tenantId: string, userId?: string): void {
    for (const [key, { actor }] of this.known.entries())
      if (key.startsWith(tenantId) && (userId === undefined || actor === null || actor.id === userId))
        this.known.delete(key);
    for (const key of this.loading.keys()) if (key.startsWith(tenantId)) this.loading.delete(key);
  }

  private load(key: string, ref: LoginRef): Promise<Known> {
    const start = performance.now(); // what it answers held when it was asked
    const load = this.ask(ref)
      .then((known) => {
        if (this.loading.get(key) === load) this.known.set(key, known, { start });
        return known;
      })
      .finally(() => {
        if (this.loading.get(key) === load) this.loading.delete(key);
      });
    this.loading.set(key, load);
    return load;
  }

  private async ask({ tenantId, loginId }: LoginRef): Promise<Known> {
    const user = await this.logins.findLive({ tenantId, loginId });
    return { actor: user && Object.freeze(userActor({ id: user.userId, tenantId, role: user.role, loginId })) };
  }
}

const keyOf = ({ tenantId, loginId }: LoginRef): string => `${tenantId}${loginId}`;
