import type { Readable } from 'node:stream';
import { isId, newId } from '../../common/ids';

/** What is known of an object once it is stored. */
export interface StoredObject {
  sizeBytes: number;
  /** Lowercase hexadecimal. */
  sha256: string;
}

/** A part of an object: both ends counted, from 0, as in HTTP (RFC 9110 §14.1.2). */
export interface ByteRange {
  first: number;
  last: number;
}

/** How a call is broken off. */
export interface StorageCall {
  /** Whoever wanted it has gone: nothing is waited for any more, and what is being read is broken off. */
  signal?: AbortSignal;
}

/**
 * Files by key, of any size in constant memory. Keys are ours alone (`newStorageKey`): nothing that anybody sent is part of
 * one. Every process of the installation sees the same objects.
 */
export abstract class ObjectStorage {
  /**
   * Stores all that comes, durably, or nothing: whoever reads the key meanwhile finds what was there before.
   * @throws whatever the content fails with; STORAGE_UNAVAILABLE
   */
  abstract put(key: string, content: Readable, call?: StorageCall): Promise<StoredObject>;

  /** The object, or that part of it; null when there is none of that key. @throws STORAGE_UNAVAILABLE */
  abstract get(key: string, range?: ByteRange, call?: StorageCall): Promise<Readable | null>;

  /** Removes the object; one that is not there is fine. */
  abstract delete(key: string): Promise<void>;

  /** Removes every object of the tenant. */
  abstract deleteTenant(tenantId: string): Promise<void>;

  /** Removes what was begun more than a day before `nowMs` (now) and never finished; answers how many. */
  abstract sweep(nowMs?: number): Promise<number>;
}

/** The same objects for what nobody waits for: it takes no connection away from those who wait for an answer. */
export abstract class BackgroundStorage extends ObjectStorage {}

/** A key that no object has: the tenant's id, a slash, a new id. */
export const newStorageKey = (tenantId: string): string => `${tenantId}/${newId()}`;

/** The two ids of a key. @throws Error for what newStorageKey has not made */
export function partsOfKey(key: string): [tenantId: string, objectId: string] {
  const [tenantId = '', objectId = '', ...rest] = key.split('/');
  if (rest.length > 0 || !isId(tenantId) || !isId(objectId)) throw new Error('This is no storage key');
  return [tenantId, objectId];
}
