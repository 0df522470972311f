import { Injectable } from '@nestjs/common';
import { normalizeIp } from '@nestjs/throttler';
import { LRUCache } from 'lru-cache';
import { CommonErrors } from '../../common/common.errors';
import type { Soon } from '../../common/soon';
import { Config } from '../../config/config';

const MINUTE_MS = 60_000;
const ADDRESSES_MAX = 10_000;
/** Of one address; half of those that may wait for the database. */
const MOST_AT_ONCE = 500;
const RETRY_AFTER_S = 5;

/** What is left to an address. */
interface Share {
  left: number;
  /** When so much was left, by the clock that never goes back. */
  atMs: number;
  /** Keys of it that are being asked for. */
  asking: number;
}

/**
 * Keys that were never seen here, on the account of the address that shows them: anybody can make keys up, and one who does
 * is to stand in nobody's way but his own. An address may be wrong RATE_LIMIT_PER_MINUTE times a minute, an IPv6 client by its
 * /64; real keys cost nothing. Counted in this process alone, for it is this process's line to the database that is kept short.
 */
@Injectable()
export class StrangeKeys {
  private readonly shares = new LRUCache<string, Share>({ max: ADDRESSES_MAX });
  private readonly perMinute: number;

  constructor(config: Config) {
    this.perMinute = config.RATE_LIMIT_PER_MINUTE;
  }

  /**
   * What is found of a key; null, and nobody is asked, when the address has been wrong too often.
   * @throws RATE_LIMITED when too many of the address's keys are being asked for
   */
  find<T>(address: string, ask: () => Soon<T | null>): Soon<T | null> {
    const share = this.shareOf(address);
    return share.left < 1 ? null : this.counted(share, ask);
  }

  private async counted<T>(share: Share, ask: () => Soon<T | null>): Promise<T | null> {
    if (share.asking >= MOST_AT_ONCE) throw CommonErrors.rateLimited(RETRY_AFTER_S);
    share.asking += 1;
    try {
      const found = await ask();
      if (found === null) share.left = Math.max(0, share.left - 1);
      return found;
    } finally {
      share.asking -= 1;
    }
  }

  private shareOf(address: string): Share {
    const nowMs = performance.now();
    const client = normalizeIp(address);
    const share = this.shares.get(client) ?? { left: this.perMinute, atMs: nowMs, asking: 0 };
    share.left = Math.min(this.perMinute, share.left + ((nowMs - share.atMs) * this.perMinute) / MINUTE_MS);
    share.atMs = nowMs;
    this.shares.set(client, share);
    return share;
  }
}
