import { Injectable } from '@nestjs/common';
import { Cache } from '../../../platform/cache/cache';
import { SecretBox, SecretBoxError } from '../../../platform/crypto/secret-box';
import type { RouteSet } from './gateway-routes.repository';
import type { ServedRow } from './stored-route';

const TTL_MS = 5_000;
/** What is larger is read of the database: on its way it would hold up all else that uses Redis. */
const MAX_CHARACTERS = 256 * 1024;

/**
 * Routes as replicas share them through Redis, under their version: what is there never changes. It is sealed, for headers may
 * be secrets, and what is not of this installation is nothing: whoever can write to Redis can make no route.
 */
@Injectable()
export class SharedRoutes {
  constructor(
    private readonly cache: Cache,
    private readonly box: SecretBox,
  ) {}

  /** Routes of that version, or else what the loader gives, which may be younger. */
  async get(tenantId: string, version: number, load: () => Promise<RouteSet>): Promise<RouteSet> {
    const name = nameOf(tenantId, version);
    const rows = this.opened(await this.cache.get<unknown>(name), name);
    if (rows) return { version, rows };
    const set = await load();
    await this.keep(tenantId, set);
    return set;
  }

  /** Gives routes that were read to the others. */
  async keep(tenantId: string, { version, rows }: RouteSet): Promise<void> {
    const text = textOf(rows);
    const name = nameOf(tenantId, version);
    if (text !== null) await this.cache.set(name, this.box.seal(text, name), TTL_MS);
  }

  private opened(sealed: unknown, name: string): ServedRow[] | null {
    if (typeof sealed !== 'string') return null;
    try {
      return JSON.parse(this.box.open(sealed, name)) as ServedRow[];
    } catch (error) {
      if (error instanceof SecretBoxError) return null;
      throw error;
    }
  }
}

const nameOf = (tenantId: string, version: number): string => `gateway-routes:${tenantId}:${version}`;

/** The rows as JSON; null as soon as they are too many: the text of a large table takes long to write. */
function textOf(rows: readonly ServedRow[]): string | null {
  const texts: string[] = [];
  let characters = '[]'.length;
  for (const row of rows) {
    const text = JSON.stringify(row);
    characters += text.length + ','.length;
    if (characters > MAX_CHARACTERS) return null;
    texts.push(text);
  }
  return `[${texts.join(',')}]`;
}
