import { newId } from '../../../common/ids';
import type { RedisClient } from '../../../platform/cache/redis';
import type { BoardRedis } from './health-board.script';
import type { TenantTargets, UpstreamTarget } from './upstream-target';
import type { UpstreamTargets } from './upstream-targets';
import { soundViews, type UpstreamView, viewOf } from './upstream-view';

const PREFIX = 'switchboard:gateway:health:';
/** Three rounds of telling: who has not told for so long is dead, or out of sight. */
const COUNTS_MS = 15_000;
/** A tenant is told of for so many rounds after its last request. */
const ROUNDS_AFTER = 60;
const MAX_TENANTS_A_ROUND = 1_000;
const TENANTS_A_CALL = 100;
const MAX_UPSTREAMS_OF_A_TENANT = 500;

/** What is known of a tenant's upstreams. */
export interface BoardAnswer {
  views: UpstreamView[];
  /** False while Redis is away: then this process's own view is all there is. */
  shared: boolean;
}

/** Processes tell each other through Redis how upstreams stand, in the background; no request waits for it. */
export class HealthBoard {
  /** Tenants to be told of, with the rounds that are left. The order is that of the last telling. */
  private readonly lively = new Map<string, number>();

  constructor(
    private readonly redis: RedisClient,
    private readonly targets: UpstreamTargets,
    private readonly processId: string = newId(),
  ) {}

  /** Tells the others of the tenants that have had requests lately. To be called every five seconds. */
  async tell(): Promise<void> {
    const due = this.due();
    for (let at = 0; at < due.length; at += TENANTS_A_CALL) {
      const part = due.slice(at, at + TENANTS_A_CALL);
      const keys = part.map((tenantId) => PREFIX + tenantId);
      const words = part.map((tenantId) => JSON.stringify(this.ownViews(tenantId)));
      await this.redis.use((redis) =>
        (redis as BoardRedis).healthTell(keys.length, ...keys, this.processId, COUNTS_MS, ...words),
      );
    }
  }

  /** What all processes have seen of the tenant's upstreams; this one's view is of this moment. */
  async ask(tenantId: string): Promise<BoardAnswer> {
    const own = this.ownViews(tenantId);
    const said = await this.redis.use((redis) => (redis as BoardRedis).healthAsk(PREFIX + tenantId, COUNTS_MS));
    if (!said) return { views: own, shared: false };
    const others: UpstreamView[] = [];
    for (let i = 0; i < said.length; i += 2) if (said[i] !== this.processId) others.push(...viewsIn(said[i + 1]));
    return { views: [...own, ...others], shared: true };
  }

  private due(): string[] {
    for (const tenant of this.targets.tenants()) if (wasTouched(tenant)) this.lively.set(tenant.tenantId, ROUNDS_AFTER);
    const due = [...this.lively].slice(0, MAX_TENANTS_A_ROUND);
    for (const [tenantId, rounds] of due) {
      this.lively.delete(tenantId);
      if (rounds > 1) this.lively.set(tenantId, rounds - 1);
    }
    return due.map(([tenantId]) => tenantId);
  }

  private ownViews(tenantId: string): UpstreamView[] {
    const nowMs = this.targets.nowMs();
    return [...this.targets.ofTenant(tenantId).values()]
      .sort(byTrouble)
      .slice(0, MAX_UPSTREAMS_OF_A_TENANT)
      .map((target) => viewOf(target, nowMs));
  }
}

/** Of a process of another version, or of nobody's: what cannot be read counts for nothing. */
function viewsIn(word: string | undefined): UpstreamView[] {
  try {
    return soundViews(JSON.parse(word ?? '[]')).slice(0, MAX_UPSTREAMS_OF_A_TENANT);
  } catch {
    return [];
  }
}

function wasTouched(tenant: TenantTargets): boolean {
  const { touched } = tenant;
  tenant.touched = false;
  return touched;
}

/** Those with trouble first: where not all can be told, they matter most. */
const byTrouble = (one: UpstreamTarget, other: UpstreamTarget): number =>
  Number(one.health.isWell) - Number(other.health.isWell);
