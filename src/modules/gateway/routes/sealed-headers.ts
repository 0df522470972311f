import { Injectable } from '@nestjs/common';
import { SecretBox } from '../../../platform/crypto/secret-box';
import type { RouteHeaders } from './stored-route';

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
    const values = JSON.parse(this.box.open(set, contextOf(tenantId, row.id))) as Record<string, string>;
    return { ...row, headers: { set: values, remove } };
  }
}

const contextOf = (tenantId: string, id: string): string => `gateway-route:${tenantId}:${id}`;
