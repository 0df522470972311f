import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { startS3 } from './s3';

/** A place for the files of an application. */
export interface Store {
  /** Variables that lead the application there. */
  config: Record<string, string>;
  /** The keys of the tenant's objects, sorted. */
  objects(tenantId: string): Promise<string[]>;
  /** How much of what was begun and not finished is there. */
  unfinished(): Promise<number>;
  close(): Promise<void>;
}

async function onDisk(): Promise<Store> {
  const folder = await mkdtemp(path.join(tmpdir(), 'store-'));
  const names = (of: string): Promise<string[]> => readdir(path.join(folder, of)).catch(() => []);
  return {
    config: { STORAGE_PATH: folder },
    objects: async (tenantId) => (await names(tenantId)).map((name) => `${tenantId}/${name}`).sort(),
    unfinished: async () => (await names('temporary')).length,
    close: () => rm(folder, { recursive: true }),
  };
}

async function onS3(): Promise<Store> {
  const server = await startS3();
  const { endpoint, region, bucket, accessKeyId, secretAccessKey } = server.settings;
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  return {
    config: {
      ...{ STORAGE: 's3', S3_ENDPOINT: endpoint, S3_REGION: region, S3_BUCKET: bucket, S3_FORCE_PATH_STYLE: 'true' },
      ...{ S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey },
    },
    objects: async (tenantId) => {
      const { Contents: found = [] } = await client.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: `${tenantId}/` }),
      );
      return found.map(({ Key: key = '' }) => key).sort();
    },
    unfinished: () => server.unfinished(),
    close: async () => {
      client.destroy();
      await server.close();
    },
  };
}

/** Where files may be kept, by name. What is promised of files holds on each. */
export const STORES: readonly [name: string, start: () => Promise<Store>][] = [
  ['a disk', onDisk],
  ['S3', onS3],
];
