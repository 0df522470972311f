import { hash, timingSafeEqual } from 'node:crypto';
import { type Actor, PLATFORM_ADMIN_ID, PLATFORM_TENANT_ID } from '../../common/actor';
import type { Config } from '../../config/config';

const PLATFORM: Actor = Object.freeze({
  kind: 'platform',
  id: PLATFORM_ADMIN_ID,
  tenantId: PLATFORM_TENANT_ID,
  role: 'PLATFORM_ADMIN',
  scopes: null,
  requestsPerMinute: null,
  loginId: null,
});

/** ADMIN_API_KEY: who shows it is the platform administrator. Where none is set, nothing is taken for it. */
export class PlatformKey {
  private readonly digest: Buffer | null;

  constructor({ ADMIN_API_KEY: key }: Pick<Config, 'ADMIN_API_KEY'>) {
    this.digest = key ? digestOf(key) : null;
  }

  /** The platform administrator; null for any other key. Takes equally long however much of the key is right. */
  actorOf(key: string): Actor | null {
    return this.digest && timingSafeEqual(this.digest, digestOf(key)) ? PLATFORM : null;
  }
}

const digestOf = (key: string): Buffer => hash('sha256', key, 'buffer');
