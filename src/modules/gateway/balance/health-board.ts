import { newId } from '../../../common/ids';
import type { RedisClient } from '../../../platform/cache/redis';
import { addressKey } from './address-key';
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
/** Of each upstream some 120 characters are told, however long its address. */
const MAX_UPSTREAMS_OF_A_TENANT = 500;
/** What one call tells, unless it is of one tenant: while Redis takes it in it answers nobody else. */
const MAX_CHARACTERS_A_CALL = 64 * 1024;
/** Whose words one call asks for, for the same reason. */
const PROCESSES_A_CALL = 4;
/** More do not tell of one tenant. */
const MAX_PROCESSES = 1_000;

/** What is known of a tenant's upstreams. */
export interface BoardAnswer {
  views: UpstreamView[];
  /** False while Redis is away: then this process's own view is all there is. */
  shared: boolean;
}

/** Tenants with what is to be told of each. */
type Words = [tenantId: string, word: string][];

/**
 * Processes tell each other through Redis how upstreams stand, in the background and in small calls, over a connection of
 * their own; no request waits for it.
 */
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
    let words: Words = [];
    let characters = 0;
    for (const tenantId of this.due()) {
      const word = this.wordOn(tenantId);
      if (words.length > 0 && characters + word.length > MAX_CHARACTERS_A_CALL) {
        if (!(await this.say(words))) return;
        [words, characters] = [[], 0];
      }
      words.push([tenantId, word]);
      characters += word.length;
    }
    if (words.length > 0) await this.say(words);
  }

  /** What all processes have seen of these upstreams of the tenant; this one's view is of this moment. */
  async ask(tenantId: string, urls: readonly string[]): Promise<BoardAnswer> {
    const nowMs = this.targets.nowMs();
    const known = this.targets.ofTenant(tenantId);
    const own = urls.flatMap((url) => known.get(url) ?? []).map((target) => viewOf(target, nowMs));
    const others = await this.wordsOfOthers(tenantId);
    if (!others) return { views: own, shared: false };
    const wanted = new Set(urls.map(addressKey));
    return { views: [...own, ...others.flatMap((word) => viewsIn(word, wanted))], shared: true };
  }

  /** Ends its connection. */
  close(): void {
    this.redis.close();
  }

  /** @returns whether Redis has heard it */
  private async say(words: Words): Promise<boolean> {
    const keys = words.map(([tenantId]) => PREFIX + tenantId);
    const said = words.map(([, word]) => word);
    const heard = await this.redis.use((redis) =>
      (redis as BoardRedis).healthTell(keys.length, ...keys, this.processId, COUNTS_MS, ...said),
    );
    return heard !== undefined;
  }

  /** Undefined where Redis does not answer. */
  private async wordsOfOthers(tenantId: string): Promise<string[] | undefined> {
    const board = PREFIX + tenantId;
    const tellers = await this.redis.use((redis) => redis.hkeys(board));
    if (!tellers) return undefined;
    const others = tellers.filter((teller) => teller !== this.processId).slice(0, MAX_PROCESSES);
    const words: string[] = [];
    for (let at = 0; at < others.length; at += PROCESSES_A_CALL) {
      const asked = others.slice(at, at + PROCESSES_A_CALL);
      const said = await this.redis.use((redis) => (redis as BoardRedis).healthAsk(board, COUNTS_MS, ...asked));
      if (!said) return undefined;
      words.push(...said);
    }
    return words;
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

  private wordOn(tenantId: string): string {
    const nowMs = this.targets.nowMs();
    const told = [...this.targets.ofTenant(tenantId).values()].sort(byTrouble).slice(0, MAX_UPSTREAMS_OF_A_TENANT);
    return JSON.stringify(told.map((target) => viewOf(target, nowMs)));
  }
}

/** Of a process of another version, or of nobody's: what cannot be read counts for nothing. */
function viewsIn(word: string, wanted: ReadonlySet<string>): UpstreamView[] {
  try {
    const views = soundViews(JSON.parse(word)).slice(0, MAX_UPSTREAMS_OF_A_TENANT);
    return views.filter(({ key }) => wanted.has(key));
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
