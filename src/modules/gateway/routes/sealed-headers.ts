import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { SecretBox } from '../../../platform/crypto/secret-box';
import { mapInTurns } from '../../../platform/loops/turns';
import type { RouteHeaders } from './stored-route';

/** Opening one takes some 40 µs, and with each change of a route the whole table is read anew. */
const OPENED_MAX_CHARACTERS = 16 * 1024 * 1024;

/** Headers as they are stored: all values sealed in one text; nothing to set is nothing to hide. */
export interface StoredHeaders {
  set: string | Record<string, never>;
  remove: string[];
}

/** The same row with its headers as they are stored. */
export type Stored<R extends { headers: RouteHeaders }> = Omit<R, 'headers'> & { headers: StoredHeaders };

/** Seals what routes set headers to, for it may be secrets of the upstreams. A sealed text opens for its own route alone. */
@Injectable()
export class SealedHeaders {
  /** By the route and the sealed text. */
  private readonly known = new LRUCache<string, Readonly<Record<string, string>>>({
    maxSize: OPENED_MAX_CHARACTERS,
    sizeCalculation: (_values, key) => 2 * key.length,
  });

  constructor(private readonly box: SecretBox) {}

  /** The headers of that route, to be stored. */
  sealed(tenantId: string, id: string, { set, remove }: RouteHeaders): StoredHeaders {
    if (Object.keys(set).length === 0) return { set: {}, remove };
    return { set: this.box.seal(JSON.stringify(set), contextOf(tenantId, id)), remove };
  }

  /** The row with its headers as they were given. @throws SecretBoxError when they are not as this installation sealed them */
  opened<R extends { id: string; headers: StoredHeaders }>(
    tenantId: string,
    row: R,
  ): Omit<R, 'headers'> & { headers: RouteHeaders } {
    const { set, remove } = row.headers;
    if (typeof set !== 'string') return { ...row, headers: { set, remove } };
    return { ...row, headers: { set: this.valuesOf(set, contextOf(tenantId, row.id)), remove } };
  }

  /** The same of many, in turns with all else that goes on. */
  openedAll<R extends { id: string; headers: StoredHeaders }>(
    tenantId: string,
    rows: readonly R[],
  ): Promise<(Omit<R, 'headers'> & { headers: RouteHeaders })[]> {
    return mapInTurns(rows, (row) => this.opened(tenantId, row));
  }

  private valuesOf(sealed: string, context: string): Readonly<Record<string, string>> {
    const key = `${context} ${sealed}`;
    const known = this.known.get(key);
    if (known) return known;
    const values = Object.freeze(JSON.parse(this.box.open(sealed, context)) as Record<string, string>);
    this.known.set(key, values);
    return values;
  }
}

const contextOf = (tenantId: string, id: string): string => `gateway-route:${tenantId}:${id}`;
