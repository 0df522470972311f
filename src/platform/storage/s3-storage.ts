import { createHash } from 'node:crypto';
import { finished, Readable } from 'node:stream';
import type { OnApplicationShutdown, OnModuleDestroy } from '@nestjs/common';
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  NoSuchKey,
  S3Client,
  type S3ClientConfig,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { S3Settings } from '../../config/s3-settings';
import { AppError } from '../../common/app-error';
import { withDeadline } from '../../common/deadline';
import { isId } from '../../common/ids';
import { JoinedSignal } from '../../common/joined-signal';
import { type ByteRange, ObjectStorage, partsOfKey, type StorageCall, type StoredObject } from './object-storage';
import { OpenReads } from './open-reads';
import { OF_REQUESTS, readsWithin, type S3Bounds, writesWithin } from './s3-bounds';
import { StorageErrors } from './storage.errors';

const UNFINISHED_FOR_MS = 24 * 60 * 60_000;
/** The least that S3 takes as a part. */
const PART_BYTES = 5 * 1024 * 1024;
/** A part is held in memory until it is stored, and as much again while it is put together. */
const PARTS_AT_ONCE = 1;

/**
 * Objects in a bucket of any service that speaks S3, under `<prefix><tenant id>/<object id>`. An object is there when all of
 * it is, so that a process may die at any point; what a dead one had begun is given up a day later. A service that hangs holds up
 * each call for a bounded time, and none of those that come after it has recovered.
 */
export class S3Storage extends ObjectStorage implements OnModuleDestroy, OnApplicationShutdown {
  private readonly reader: S3Client;
  private readonly client: S3Client;
  private readonly reads: OpenReads;
  private readonly ended = new AbortController();
  private ending: NodeJS.Timeout | undefined;
  private readonly bucket: string;
  private readonly prefix: string;

  constructor(
    settings: S3Settings,
    private readonly bounds: S3Bounds = OF_REQUESTS,
  ) {
    super();
    this.bucket = settings.bucket;
    this.prefix = settings.prefix;
    this.reader = new S3Client({ ...clientOf(settings), ...readsWithin(bounds) });
    this.client = new S3Client({ ...clientOf(settings), ...writesWithin(bounds) });
    this.reads = new OpenReads(bounds.reads, bounds.waitMs);
  }

  /** @throws STORAGE_UNAVAILABLE; or whatever the content fails with */
  async put(key: string, content: Readable, { signal }: StorageCall = {}): Promise<StoredObject> {
    const hash = createHash('sha256');
    const seen: Seen = { sizeBytes: 0, broken: null };
    const upload = new Upload({
      client: this.client,
      params: { ...this.at(key), Body: Readable.from(measured(content, hash, seen)) },
      ...{ partSize: PART_BYTES, queueSize: PARTS_AT_ONCE, leavePartsOnError: false },
    });
    const stop = new JoinedSignal(this.ended.signal, signal);
    stop.signal.addEventListener('abort', () => void upload.abort(), { once: true });
    try {
      stop.signal.throwIfAborted(); // who has left already is told of by no event
      await upload.done();
    } catch (error) {
      content.destroy();
      throw seen.broken ? seen.broken.error : StorageErrors.unavailable(error);
    } finally {
      stop.release();
    }
    return { sizeBytes: seen.sizeBytes, sha256: hash.digest('hex') };
  }

  /** @throws STORAGE_UNAVAILABLE, also when the tenant reads as many as it may for longer than somebody waits */
  async get(key: string, range?: ByteRange, { signal }: StorageCall = {}): Promise<Readable | null> {
    const [tenantId] = partsOfKey(key);
    const part = range ? { Range: `bytes=${range.first}-${range.last}` } : {};
    const command = new GetObjectCommand({ ...this.at(key), ...part });
    const stop = new JoinedSignal(this.ended.signal, signal);
    let giveBack = (): void => undefined;
    const done = (): void => {
      stop.release();
      giveBack();
    };
    try {
      giveBack = await this.reads.take(tenantId, stop.signal);
      const { Body: body } = await withDeadline(this.bounds.callMs, (late) => {
        stop.add(late);
        return this.reader.send(command, { abortSignal: stop.signal });
      });
      finished(body as Readable, done);
      return body as Readable;
    } catch (error) {
      done();
      if (isGone(error)) return null;
      throw error instanceof AppError ? error : StorageErrors.unavailable(error);
    }
  }

  async delete(key: string): Promise<void> {
    const command = new DeleteObjectCommand(this.at(key));
    await this.call((call) => this.client.send(command, call));
  }

  async deleteTenant(tenantId: string): Promise<void> {
    if (!isId(tenantId)) throw new Error('This is no id of a tenant');
    const ofTenant = { Bucket: this.bucket, Prefix: `${this.prefix}${tenantId}/` };
    for (;;) {
      // From the beginning each time: what was listed is gone by then.
      const { Contents: objects = [] } = await this.call((call) =>
        this.client.send(new ListObjectsV2Command(ofTenant), call),
      );
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
      const command = new ListMultipartUploadsCommand({ ...params, ...from });
      const page = await this.call((call) => this.client.send(command, call));
      for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
        if (!Initiated || nowMs - Initiated.getTime() < UNFINISHED_FOR_MS) continue;
        const abort = new AbortMultipartUploadCommand({ Bucket: this.bucket, Key, UploadId });
        await this.call((call) => this.client.send(abort, call));
        swept += 1;
      }
      if (!page.IsTruncated) return swept;
      from = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
    }
  }

  /** What is under way gets some time more, so that nothing that hangs holds up the end. */
  onModuleDestroy(): void {
    this.ending = setTimeout(() => this.ended.abort(new Error('The service ends')), this.bounds.endMs).unref();
  }

  onApplicationShutdown(): void {
    this.close();
  }

  /** Breaks off what is under way and lets go of all connections. */
  close(): void {
    clearTimeout(this.ending);
    this.ended.abort(new Error('The service ends'));
    this.reader.destroy();
    this.client.destroy();
  }

  /** Calls without a body, each in bounded time. */
  private async call<T>(
    send: (options: { abortSignal: AbortSignal; requestTimeout: number }) => Promise<T>,
  ): Promise<T> {
    const { callMs, answerMs: requestTimeout } = this.bounds;
    const stop = new JoinedSignal(this.ended.signal);
    try {
      return await withDeadline(callMs, (late) => {
        stop.add(late);
        return send({ abortSignal: stop.signal, requestTimeout });
      });
    } catch (error) {
      throw StorageErrors.unavailable(error);
    } finally {
      stop.release();
    }
  }

  private async deleteAll(objects: { Key: string }[]): Promise<void> {
    const command = new DeleteObjectsCommand({ Bucket: this.bucket, Delete: { Objects: objects, Quiet: true } });
    const { Errors: errors = [] } = await this.call((call) => this.client.send(command, call));
    if (errors.length > 0) throw new Error(`${errors.length} objects could not be deleted: ${errors[0]?.Code}`);
  }

  private at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.bucket, Key: this.prefix + partsOfKey(key).join('/') };
  }
}

const clientOf = ({ endpoint, region, credentials, forcePathStyle }: S3Settings): S3ClientConfig => ({
  ...{ region, forcePathStyle },
  ...(endpoint === undefined ? {} : { endpoint }),
  ...(credentials === undefined ? {} : { credentials }),
  // Many services that speak S3 know no trailing checksums.
  requestChecksumCalculation: 'WHEN_REQUIRED',
  responseChecksumValidation: 'WHEN_REQUIRED',
});

/** What has come of the content, and what it broke off with. */
interface Seen {
  sizeBytes: number;
  broken: { error: unknown } | null;
}

async function* measured(
  content: Readable,
  hash: { update: (chunk: Buffer) => unknown },
  seen: Seen,
): AsyncGenerator<Buffer> {
  for await (const chunk of noted(content, seen)) {
    hash.update(chunk);
    seen.sizeBytes += chunk.length;
    yield chunk;
  }
}

/** Remembers what the content itself fails with; what is thrown into a generator at its `yield` is the reader's. */
function noted(content: Readable, seen: Seen): AsyncIterable<Buffer> {
  const chunks = (content as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  const next = () =>
    chunks.next().catch((error: unknown) => {
      seen.broken = { error };
      throw error;
    });
  return { [Symbol.asyncIterator]: () => ({ next, return: () => endOf(chunks) }) };
}

async function endOf(chunks: AsyncIterator<Buffer>): Promise<IteratorResult<Buffer>> {
  await chunks.return?.();
  return { done: true, value: undefined };
}

const isGone = (error: unknown): boolean =>
  error instanceof NoSuchKey || (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404);
