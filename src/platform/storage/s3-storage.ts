import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  NoSuchKey,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { S3Settings } from '../../config/s3-settings';
import { isId } from '../../common/ids';
import { type ByteRange, ObjectStorage, partsOfKey, type StoredObject } from './object-storage';

const UNFINISHED_FOR_MS = 24 * 60 * 60_000;
/** The least that S3 takes as a part; one is read while another is on its way. */
const PART_BYTES = 5 * 1024 * 1024;
const PARTS_AT_ONCE = 2;

/**
 * Objects in a bucket of any service that speaks S3, under `<prefix><tenant id>/<object id>`. An object is there when all of
 * it is, so that a process may die at any point; what a dead one had begun is given up a day later.
 */
export class S3Storage extends ObjectStorage {
  private readonly client: S3Client;
  private readonly bucket: string;
  private readonly prefix: string;

  constructor({ endpoint, region, bucket, credentials, forcePathStyle, prefix }: S3Settings) {
    super();
    this.bucket = bucket;
    this.prefix = prefix;
    this.client = new S3Client({
      ...{ region, forcePathStyle, maxAttempts: 3 },
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(credentials === undefined ? {} : { credentials }),
      // Many services that speak S3 know no trailing checksums.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
  }

  async put(key: string, content: Readable): Promise<StoredObject> {
    const hash = createHash('sha256');
    const seen = { sizeBytes: 0 };
    const upload = new Upload({
      client: this.client,
      params: { ...this.at(key), Body: Readable.from(measured(content, hash, seen)) },
      ...{ partSize: PART_BYTES, queueSize: PARTS_AT_ONCE, leavePartsOnError: false },
    });
    try {
      await upload.done();
    } catch (error) {
      content.destroy();
      throw error;
    }
    return { sizeBytes: seen.sizeBytes, sha256: hash.digest('hex') };
  }

  async get(key: string, range?: ByteRange): Promise<Readable | null> {
    const part = range ? { Range: `bytes=${range.first}-${range.last}` } : {};
    try {
      const { Body } = await this.client.send(new GetObjectCommand({ ...this.at(key), ...part }));
      return Body as Readable;
    } catch (error) {
      if (isGone(error)) return null;
      throw error;
    }
  }

  async delete(key: string): Promise<void> {
    await this.client.send(new DeleteObjectCommand(this.at(key)));
  }

  async deleteTenant(tenantId: string): Promise<void> {
    if (!isId(tenantId)) throw new Error('This is no id of a tenant');
    const ofTenant = { Bucket: this.bucket, Prefix: `${this.prefix}${tenantId}/` };
    for (;;) {
      // From the beginning each time: what was listed is gone by then.
      const { Contents: objects = [] } = await this.client.send(new ListObjectsV2Command(ofTenant));
      if (objects.length === 0) return;
      await this.deleteAll(objects.flatMap(({ Key }) => (Key === undefined ? [] : { Key })));
    }
  }

  /** Gives up what was begun more than a day ago and never finished; answers how many. */
  async sweep(nowMs = Date.now()): Promise<number> {
    let swept = 0;
    const params = { Bucket: this.bucket, Prefix: this.prefix };
    let from: { KeyMarker?: string; UploadIdMarker?: string } = {};
    for (;;) {
      const page = await this.client.send(new ListMultipartUploadsCommand({ ...params, ...from }));
      for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
        if (!Initiated || nowMs - Initiated.getTime() < UNFINISHED_FOR_MS) continue;
        await this.client.send(new AbortMultipartUploadCommand({ Bucket: this.bucket, Key, UploadId }));
        swept += 1;
      }
      if (!page.IsTruncated) return swept;
      from = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
    }
  }

  /** Lets go of its connections. */
  close(): void {
    this.client.destroy();
  }

  private async deleteAll(objects: { Key: string }[]): Promise<void> {
    const command = new DeleteObjectsCommand({ Bucket: this.bucket, Delete: { Objects: objects, Quiet: true } });
    const { Errors: errors = [] } = await this.client.send(command);
    if (errors.length > 0) throw new Error(`${errors.length} objects could not be deleted: ${errors[0]?.Code}`);
  }

  private at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.bucket, Key: this.prefix + partsOfKey(key).join('/') };
  }
}

async function* measured(
  content: Readable,
  hash: { update: (chunk: Buffer) => unknown },
  seen: { sizeBytes: number },
): AsyncGenerator<Buffer> {
  for await (const chunk of content as AsyncIterable<Buffer>) {
    hash.update(chunk);
    seen.sizeBytes += chunk.length;
    yield chunk;
  }
}

const isGone = (error: unknown): boolean =>
  error instanceof NoSuchKey || (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404);
