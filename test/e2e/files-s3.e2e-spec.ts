import { connect, type Socket } from 'node:net';
import { formOf, postForm, upload } from '../support/files';
import { startTestApp, type TestApp } from '../support/running-app';
import { type S3Server, startS3 } from '../support/s3';
import { type SilentProxy, startSilentProxy } from '../support/silent-proxy';
import { eventually } from '../support/wait';
import { PNG } from './media.harness';

describe('files in a bucket that others share, behind a service that may hang', () => {
  let s3: S3Server;
  let proxy: SilentProxy;
  let app: TestApp;

  beforeAll(async () => {
    s3 = await startS3();
    const { endpoint, region, bucket, accessKeyId, secretAccessKey } = s3.settings;
    proxy = await startSilentProxy(Number(new URL(endpoint).port));
    app = await startTestApp({
      config: {
        ...{
          STORAGE: 's3',
          S3_ENDPOINT: `http://127.0.0.1:${proxy.port}`,
          S3_REGION: region,
          S3_BUCKET: bucket,
          S3_PREFIX: 'ours',
        },
        ...{ S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey, S3_FORCE_PATH_STYLE: 'true' },
        MAX_UPLOAD_BYTES: '12000000',
      },
    });
  });

  afterAll(async () => {
    await app.close();
    await eventually(() => proxy.connections() === 0, { what: 'the application to let go of its connections' });
    await proxy.close();
    await s3.close();
  });

  it('are stored in several parts, read, bounded and deleted below our prefix', async () => {
    const { http } = await app.login('MANAGER');
    const bytes = Buffer.alloc(11_000_000, PNG);
    const file = await upload(http, bytes, 'large.png');
    expect([file.size, file.mime_type]).toEqual([bytes.length, 'image/png']);
    expect((await http.get(`/files/${file.id}`)).bytes.equals(bytes)).toBe(true);
    const part = await http.get(`/files/${file.id}`, { headers: { range: 'bytes=-5' } });
    expect([part.status, part.bytes.equals(bytes.subarray(-5))]).toEqual([206, true]);
    const form = formOf({ filename: 'a', bytes: Buffer.alloc(12_000_001) });
    expect((await postForm(http, form)).outcome).toBe('413 FILE_TOO_LARGE');
    expect(await s3.unfinished()).toBe(0);
    expect((await http.delete(`/files/${file.id}`)).status).toBe(204);
    expect((await app.owner.query('select from object_removals')).rowCount).toBe(0);
  });

  /** Asks for a file, reads the beginning of the answer and no more. */
  const standStill = async (id: string, token: string): Promise<Socket> => {
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
    socket
      .on('error', () => undefined)
      .write(`GET /files/${id} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${token}\r\n\r\n`);
    await new Promise((resolve) => socket.once('readable', resolve).once('close', resolve));
    return socket;
  };

  it('are read by another tenant, and by the same one, while many readers stand still', async () => {
    const { http } = await app.login('MANAGER');
    const other = await app.login('MANAGER', await app.make.tenant());
    const [large, small] = [await upload(http, Buffer.alloc(11_000_000)), await upload(http, 'own')];
    const ofOther = await upload(other.http, 'other');
    const readers = await Promise.all(Array.from({ length: 60 }, () => standStill(large.id, http.accessToken)));
    expect(readers.every((socket) => !socket.destroyed)).toBe(true);
    expect((await other.http.get(`/files/${ofOther.id}`, { timeoutMs: 5_000 })).text).toBe('other');
    expect((await http.get(`/files/${small.id}`, { timeoutMs: 5_000 })).text).toBe('own');
    for (const socket of readers) socket.destroy();
  }, 60_000);

  it('are refused with 503 while the service hangs, leave no connection behind, and are there when it is well', async () => {
    const { http } = await app.login('MANAGER');
    const file = await upload(http, 'here');
    await eventually(() => proxy.connections() > 0);
    proxy.fallSilent();
    const waiting = http.get(`/files/${file.id}`);
    const impatient = Array.from({ length: 60 }, () => http.get(`/files/${file.id}`, { timeoutMs: 1_000 }));
    const outcomes = await Promise.allSettled(impatient);
    expect(outcomes.map(({ status }) => status)).toEqual(outcomes.map(() => 'rejected'));
    const refused = await waiting;
    expect([refused.outcome, refused.headers.get('retry-after')]).toEqual(['503 STORAGE_UNAVAILABLE', '5']);
    proxy.recover();
    expect((await http.get(`/files/${file.id}`, { timeoutMs: 5_000 })).text).toBe('here');
  }, 60_000);
});
