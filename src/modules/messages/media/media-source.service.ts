import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { Config } from '../../../config/config';
import { Egress } from '../../../platform/egress/egress';
import { asEgressFailure, EgressFailure } from '../../../platform/egress/egress-failure';
import { WahaFailure } from '../../waha/waha.errors';
import { WahaServers } from '../../waha/waha-servers.service';
import type { MediaJob } from './media-store.service';

/** All of a fetch; a worker that takes longer counts as dead a minute later. */
export const FETCH_MS = 120_000;

/** What the origin of a file answers; its body fails with EgressFailure only. */
export interface MediaAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Readable;
}

/** Where files come from: those to send from addresses that tenants named, those received from WAHA. */
@Injectable()
export class MediaSource {
  constructor(
    private readonly egress: Egress,
    private readonly servers: WahaServers,
    private readonly config: Config,
  ) {}

  /** Asks for the file. @throws EgressFailure */
  async open(job: MediaJob, signal: AbortSignal): Promise<MediaAnswer> {
    if (job.received) return this.received(job, signal);
    const maxBytes = this.config.MAX_UPLOAD_BYTES;
    return this.egress.fetch(job.url, { maxBytes, signal, limits: { totalMs: FETCH_MS } });
  }

  private async received({ server_id, url }: MediaJob, signal: AbortSignal): Promise<MediaAnswer> {
    try {
      const { client } = await this.servers.byId(server_id);
      const answer = await client.file(url, AbortSignal.any([signal, AbortSignal.timeout(FETCH_MS)]));
      return { ...answer, body: Readable.from(inOneKind(answer.body, this.config.MAX_UPLOAD_BYTES)) };
    } catch (error) {
      if (!(error instanceof WahaFailure)) throw error;
      // What it answers is an answer; refused is what would not be one of its files.
      if (error.kind === 'answered') throw new EgressFailure('EGRESS_REFUSED', error.reason, { cause: error });
      throw new EgressFailure('EGRESS_FAILED', 'WAHA cannot be reached', { cause: error });
    }
  }
}

async function* inOneKind(body: Readable, maxBytes: number): AsyncGenerator<Buffer> {
  let seen = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      seen += chunk.length;
      if (seen > maxBytes) throw new EgressFailure('FILE_TOO_LARGE', `It is larger than ${maxBytes} bytes`);
      yield chunk;
    }
  } catch (error) {
    throw asEgressFailure(error);
  }
}
