import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { after, type Soon } from '../../common/soon';
import { type ReadKey, readKey } from './api-key.secret';
import { KeyDirectory, type LiveKey } from './key-directory.service';
import { KeyUsage } from './key-usage';
import { StrangeKeys } from './strange-keys';

/** A key that was shown, and what its access tokens carry to be tied to this very secret. */
export interface ShownKey {
  actor: Actor;
  /** SHA-256 of the secret, base64url. */
  hash: string;
}

/** What a key that was shown opens; nothing, where it is good and its tenant is suspended. */
export type KeyVerdict = Actor | { readonly suspended: Actor } | null;

/** Which key somebody acts with, for those who ask on each request. */
@Injectable()
export class KeyAccess {
  constructor(
    private readonly directory: KeyDirectory,
    private readonly usage: KeyUsage,
    private readonly strangers: StrangeKeys,
  ) {}

  /** The live key that somebody shows; null when it is wrong, expired, revoked, of a suspended tenant, not for this address, or new from one that showed too many wrong ones. */
  byKey(key: string, address: string): Soon<ShownKey | null> {
    const shown = readKey(key);
    if (!shown) return null;
    return after(this.shownBy(address, shown.hash), (live) => {
      const actor = this.judge(shown, live, address);
      return actor === null || 'suspended' in actor ? null : { actor, hash: shown.hash };
    });
  }

  /** Who shows the key; `suspended`, where the key is good and its tenant is not. */
  verdictOn(key: string, address: string): Soon<KeyVerdict> {
    const shown = readKey(key);
    if (!shown) return null;
    return after(this.shownBy(address, shown.hash), (live) => this.judge(shown, live, address));
  }

  /** The same by the hash that an access token of the key carries. */
  byHash(hash: string, address: string): Soon<Actor | null> {
    return after(this.directory.find(hash), (live) => {
      if (!live?.allows(address) || live.suspended) return null;
      this.usage.note(live.actor);
      return live.actor;
    });
  }

  /** Who acts with the key of the hash, wherever from, without its being used now; null when it lives no longer. */
  whoHas(hash: string): Soon<Actor | null> {
    return after(this.directory.find(hash), (live) => (live && !live.suspended ? live.actor : null));
  }

  /** The key; where it was never seen here it is asked for on the account of the address. */
  private shownBy(address: string, hash: string): Soon<LiveKey | null> {
    if (!this.directory.isNew(hash)) return this.directory.find(hash);
    return this.strangers.find(address, () => this.directory.find(hash));
  }

  private judge(shown: ReadKey, live: LiveKey | null, address: string): KeyVerdict {
    if (live?.prefix !== shown.prefix || !live.allows(address)) return null;
    if (live.suspended) return { suspended: live.actor };
    this.usage.note(live.actor);
    return live.actor;
  }
}
