import { Readable } from 'node:stream';
import { CreateMultipartUploadCommand, S3Client } from '@aws-sdk/client-s3';
import { type S3Server, startS3 } from '../../../test/support/s3';
import { describeStorage } from '../../../test/support/storage-suite';
import { newId } from '../../common/ids';
import { freePort } from '../../embedded/postgres-server';
import { newStorageKey } from './object-storage';
import { S3Storage } from './s3-storage';

describe('S3Storage', () => {
  let server: S3Server;
  let storage: S3Storage;

  beforeAll(async () => {
    server = await startS3();
    const { accessKeyId, secretAccessKey, ...place } = server.settings;
    storage = new S3Storage({
      ...place,
      ...{ credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true, prefix: 'switchboard/' },
    });
  });
  afterAll(async () => {
    storage.close();
    await server.close();
  });

  describeStorage(() => Promise.resolve({ storage, unfinished: () => server.unfinished() }));

  it('sweeps what was begun a day ago, and not what is being written', async () => {
    const { accessKeyId, secretAccessKey, bucket, ...place } = server.settings;
    const client = new S3Client({ ...place, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
    const begin = () =>
      client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: `switchboard/${newStorageKey(newId())}` }));
    await begin();
    await server.backdate(new Date(Date.now() - 25 * 3_600_000));
    await begin();
    expect(await server.unfinished()).toBe(2);
    expect(await storage.sweep()).toBe(1);
    expect([await storage.sweep(), await server.unfinished()]).toEqual([0, 1]);
    client.destroy();
  });

  it('tells of a service that is not there', async () => {
    const { accessKeyId, secretAccessKey, ...place } = server.settings;
    const settings = { ...place, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true, prefix: '' };
    const away = new S3Storage({ ...settings, endpoint: `http://127.0.0.1:${await freePort()}` });
    await expect(away.get(newStorageKey(newId()))).rejects.toThrow();
    await expect(away.put(newStorageKey(newId()), Readable.from([Buffer.from('a')]))).rejects.toThrow();
    away.close();
  });
});
