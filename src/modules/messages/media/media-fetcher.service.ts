import { pipeline } from 'node:stream/promises';
import { Injectable } from '@nestjs/common';
import { EgressFailure } from '../../../platform/egress/egress-failure';
import { FileHead, fileKindOf } from '../../../platform/storage/file-kind';
import { shownFileName } from '../../../platform/storage/file-name';
import { BackgroundStorage } from '../../../platform/storage/object-storage';
import { fileNameOf, isSentAs } from './media-kind';
import { type MediaAnswer, MediaSource } from './media-source.service';
import type { FetchedMedia, MediaFailure, MediaJob } from './media-store.service';

/**
 * What became of a fetch: a file that is stored, something that will not change, something that may (`again`), or no room for
 * it in what the tenant may store.
 */
export type Fetched = { media: FetchedMedia } | { failure: MediaFailure } | { again: string } | { full: true };

const AGAIN = [408, 425, 429];

/** Fetches the file of one message into the storage. */
@Injectable()
export class MediaFetcher {
  constructor(
    private readonly source: MediaSource,
    private readonly storage: BackgroundStorage,
  ) {}

  /**
   * Fetches the file. What is not kept is not left in the storage either.
   * @throws whatever our own storage fails with, and when the signal ends it
   */
  async fetch(job: MediaJob, signal: AbortSignal): Promise<Fetched> {
    try {
      return await this.ask(job, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof EgressFailure) return outcomeOf(error);
      throw error;
    }
  }

  private async ask(job: MediaJob, signal: AbortSignal): Promise<Fetched> {
    const answer = await this.source.open(job, signal);
    const refusal = refusalOf(answer, job.received);
    if (refusal) {
      answer.body.on('error', () => undefined).destroy();
      return refusal;
    }
    const { media, kept } = await this.keep(job, answer, signal);
    if (kept) return { media };
    await this.storage.delete(job.storage_key);
    return refused(
      media.sizeBytes === 0 ? 'The file is empty' : `A file of ${media.mimeType} is not sent as ${job.type}`,
    );
  }

  private async keep(
    job: MediaJob,
    { body }: MediaAnswer,
    signal: AbortSignal,
  ): Promise<{ media: FetchedMedia; kept: boolean }> {
    const beginning = new FileHead();
    const [stored] = await Promise.all([
      this.storage.put(job.storage_key, beginning, { signal }),
      pipeline(body, beginning),
    ]);
    const kind = await fileKindOf(beginning.head);
    const media = {
      ...stored,
      mimeType: kind.mimeType,
      filename: job.received
        ? shownFileName(job.filename ?? '', `file.${kind.extension}`)
        : fileNameOf(job.filename, job.url, kind),
    };
    return { media, kept: stored.sizeBytes > 0 && (job.received || isSentAs(job.type, kind.mimeType)) };
  }
}

const refused = (reason: string): Fetched => ({ failure: { code: 'MEDIA_REFUSED', reason, retryable: false } });

/** Anything but 200 is no file; null when it is one. Where WAHA refuses our key, somebody may mend that. */
function refusalOf({ status, headers }: MediaAnswer, received: boolean): Fetched | null {
  if (AGAIN.includes(status) || status >= 500 || (received && (status === 401 || status === 403)))
    return { again: `The address answers ${status}` };
  if (status !== 200) return refused(`The address answers ${status}`);
  const { 'content-encoding': encoding = 'identity' } = headers;
  return encoding === 'identity' ? null : refused('The address answers in an encoding that was not asked for');
}

function outcomeOf({ code, message }: EgressFailure): Fetched {
  if (code === 'EGRESS_FAILED') return { again: message };
  if (code === 'EGRESS_REFUSED') return refused(message);
  return { failure: { code: 'MEDIA_TOO_LARGE', reason: message, retryable: false } };
}
