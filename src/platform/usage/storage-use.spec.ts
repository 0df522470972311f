import { StorageUse } from './storage-use';

describe('StorageUse', () => {
  it('is nothing while nobody stores', async () => {
    expect(await new StorageUse().bytesOf('a tenant')).toBe(0);
  });

  it('adds up what is stored in each place, of that tenant', async () => {
    const storage = new StorageUse();
    const files: Record<string, number> = { a: 5, b: 7 };
    storage.counts((tenantId) => Promise.resolve(files[tenantId] ?? 0));
    storage.counts(() => Promise.resolve(100));
    expect([await storage.bytesOf('a'), await storage.bytesOf('b')]).toEqual([105, 107]);
  });
});
