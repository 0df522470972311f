import { Injectable } from '@nestjs/common';

/** How many bytes a tenant keeps in one place. */
export type StorageReader = (tenantId: string) => Promise<number>;

/** What tenants store, wherever it lies: features that keep files say here how to count them. */
@Injectable()
export class StorageUse {
  private readonly readers: StorageReader[] = [];

  /** Adds a place. Call it while the modules are set up. */
  counts(reader: StorageReader): void {
    this.readers.push(reader);
  }

  /** All bytes that the tenant keeps. */
  async bytesOf(tenantId: string): Promise<number> {
    const places = await Promise.all(this.readers.map((reader) => reader(tenantId)));
    return places.reduce((sum, bytes) => sum + bytes, 0);
  }
}
