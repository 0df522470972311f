import { getEventListeners, once } from 'node:events';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type S3Server, startS3 } from '../../../test/support/s3';
import { type SilentProxy, startSilentProxy } from '../../../test/support/silent-proxy';
import { eventually } from '../../../test/support/wait';
import { newId } from '../../common/ids';
import { newStorageKey } from './object-storage';
import { OF_REQUESTS, type S3Bounds } from './s3-bounds';
import { S3Storage } from './s3-storage';

const MIB = 1024 * 1024;
/** As in the service, only sooner. */
const SOON: S3Bounds = {
  ...OF_REQUESTS,
  ...{ reads: 50, writes: 20, waitMs: 500, connectMs: 500, answerMs: 600, callMs: 1_000 },
  ...{ readIdleMs: 1_000, writeIdleMs: 600, partMs: 5_000, endMs: 100 },
};

describe('S3Storage, when the service or a reader hangs', () => {
  let server: S3Server;
  let proxy: SilentProxy;
  let storage: S3Storage;
  const tenantId = newId();

  const start = (bounds = SOON): S3Storage => {
    const { accessKeyId, secretAccessKey, ...place } = server.settings;
    const endpoint = `http://127.0.0.1:${proxy.port}`;
    const credentials = { accessKeyId, secretAccessKey };
    return new S3Storage({ ...place, endpoint, credentials, forcePathStyle: true, prefix: '' }, bounds);
  };
  const put = async (bytes: Buffer | string, owner = tenantId): Promise<string> => {
    const key = newStorageKey(owner);
    await storage.put(key, Readable.from([Buffer.from(bytes)]));
    return key;
  };
  const textOf = async (key: string) => (await buffer((await storage.get(key)) as Readable)).toString();

  beforeAll(async () => {
    server = await startS3();
  });
  beforeEach(async () => {
    proxy = await startSilentProxy(Number(new URL(server.settings.endpoint).port));
    storage = start();
  });
  afterEach(async () => {
    storage.close();
    await proxy.close();
  });
  afterAll(() => server.close());

  it('refuses every call in bounded time, and serves again as soon as the service is well', async () => {
    const key = await put('here');
    proxy.fallSilent();
    const calls = [
      ...Array.from({ length: 60 }, () => storage.get(key)),
      ...[storage.delete(key), storage.deleteTenant(tenantId), storage.sweep()],
      storage.put(newStorageKey(tenantId), Readable.from([Buffer.alloc(MIB)])),
      storage.put(newStorageKey(tenantId), Readable.from([Buffer.alloc(6 * MIB), Buffer.alloc(6 * MIB)])),
    ];
    const outcomes = await Promise.allSettled(calls);
    const codes = outcomes.map((each) => (each.status === 'rejected' ? (each.reason as { code: string }).code : 'ok'));
    expect(new Set(codes)).toEqual(new Set(['STORAGE_UNAVAILABLE']));
    proxy.recover();
    expect(await textOf(key)).toBe('here');
    expect(await textOf(await put('new'))).toBe('new');
  }, 20_000);

  it('breaks off an answer that stops in its middle', async () => {
    storage.close();
    storage = start({ ...OF_REQUESTS, readIdleMs: 1_000 });
    const key = await put(Buffer.alloc(20 * MIB));
    const stream = (await storage.get(key)) as Readable;
    await once(stream, 'readable');
    proxy.fallSilent();
    await expect(buffer(stream)).rejects.toThrow('inactivity');
  });

  it('keeps no connection for who has gone', async () => {
    const key = await put('here');
    storage.close();
    storage = start({ ...SOON, answerMs: 60_000, callMs: 60_000, readIdleMs: 60_000 });
    proxy.fallSilent();
    const gone = new AbortController();
    const reading = Array.from({ length: 50 }, () => storage.get(key, undefined, { signal: gone.signal }));
    const outcomes = Promise.allSettled(reading);
    await eventually(() => proxy.connections() >= 25);
    gone.abort();
    expect((await outcomes).every(({ status }) => status === 'rejected')).toBe(true);
    await eventually(() => proxy.connections() === 0);
    proxy.recover();
    expect(await textOf(key)).toBe('here');
  });

  it('lets nothing that hangs hold up the end', async () => {
    storage.close();
    storage = start({ ...SOON, answerMs: 60_000, callMs: 60_000, writeIdleMs: 60_000, partMs: 60_000 });
    const key = await put('here');
    proxy.fallSilent();
    const hanging = Promise.allSettled([storage.get(key), storage.delete(key), put(Buffer.alloc(12 * MIB))]);
    storage.onModuleDestroy();
    expect((await hanging).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  });

  it('leaves nothing of a call behind in the signals that it was broken off by', async () => {
    const { signal: end } = (storage as unknown as { ended: AbortController }).ended;
    const { signal } = new AbortController();
    const listeners = () => [end, signal].map((each) => getEventListeners(each, 'abort').length);
    const any = jest.spyOn(AbortSignal, 'any'); // whose dependants no listener shows
    const key = newStorageKey(tenantId);
    await storage.put(key, Readable.from([Buffer.from('here')]), { signal });
    const stream = (await storage.get(key, undefined, { signal })) as Readable;
    expect(listeners()).toEqual([1, 1]);
    await buffer(stream);
    expect(await storage.get(newStorageKey(tenantId), undefined, { signal })).toBeNull();
    await storage.sweep();
    proxy.fallSilent();
    const refused = [
      ...[storage.get(key, undefined, { signal }), storage.delete(key)],
      storage.put(key, Readable.from([Buffer.from('new')]), { signal }),
    ];
    expect((await Promise.allSettled(refused)).map(({ status }) => status)).toEqual(Array(3).fill('rejected'));
    expect(listeners()).toEqual([0, 0]);
    expect(any).not.toHaveBeenCalled();
    any.mockRestore();
  });

  it('stores and reads nothing for who has gone already, and refuses it in the one shape', async () => {
    const key = newStorageKey(tenantId);
    const signal = AbortSignal.abort();
    const content = Readable.from([Buffer.from('here')]);
    const refusal = { code: 'STORAGE_UNAVAILABLE' };
    await expect(storage.put(key, content, { signal })).rejects.toMatchObject(refusal);
    expect(content.destroyed).toBe(true);
    await expect(storage.get(key, undefined, { signal })).rejects.toMatchObject(refusal);
    expect(proxy.connections()).toBe(0);
    expect(await storage.get(key)).toBeNull();
  });

  it('leaves room for another tenant while readers of one stand still, and cuts them off', async () => {
    storage.close();
    storage = start({ ...OF_REQUESTS, reads: 50, waitMs: 500, readIdleMs: 2_000 });
    const [key, ofOther] = [await put(Buffer.alloc(20 * MIB)), await put('other', newId())];
    // More than there are connections.
    const opened = await Promise.allSettled(Array.from({ length: 60 }, () => storage.get(key)));
    const slow = opened.flatMap((each) => (each.status === 'fulfilled' ? [each.value as Readable] : []));
    expect(slow.length).toBe(25);
    const broken = slow.map(
      (stream) => new Promise<Error>((resolve) => stream.once('error', resolve).once('readable', () => undefined)),
    );
    expect(await textOf(ofOther)).toBe('other');
    for (const error of await Promise.all(broken)) expect(error.message).toContain('inactivity');
    expect((await buffer((await storage.get(key)) as Readable)).length).toBe(20 * MIB);
  });
});
