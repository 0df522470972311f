import { Injectable } from '@nestjs/common';
import { auditRow, SYSTEM } from '../../../platform/audit/audit-record';
import { rerun } from '../../../platform/database/rerun';
import { SystemDatabase, type SystemRun } from '../../../platform/database/system-database';
import { Wakeups } from '../../../platform/database/wakeups';
import type { SlotParams } from '../../../platform/loops/keyed-slots';
import type { MediaType } from '../message-content';

/** A file that this worker has to fetch. */
export interface MediaJob {
  tenant_id: string;
  message_id: string;
  /** This attempt included, and those of workers that died. */
  attempts: number;
  /** Where this attempt stores it. */
  storage_key: string;
  /** Where the attempt before would have stored it; null when there was none. */
  stale_key: string | null;
  type: MediaType;
  /** Where it is: at an address that the tenant named, or, where it was `received`, in WAHA. */
  url: string;
  received: boolean;
  /** The WAHA of its session. */
  server_id: string;
  filename: string | null;
  /** Whether its message still waits for it. */
  wanted: boolean;
}

/** How many files a worker may take now. */
export interface MediaRoom {
  /** Of those that are fetched from addresses which tenants named. */
  addresses: number;
  /** Of received ones, by the WAHA server that has them. */
  servers: SlotParams;
  /** What it is fetching already: tenant, server (null: from addresses) and how many. */
  busy: Iterable<readonly [tenantId: string, serverId: string | null, count: number]>;
  /** At most so many of a tenant at once, of each server and of addresses. */
  each: number;
  /** After that time the worker counts as dead. */
  leaseMs: number;
}

/** A file that is stored. */
export interface FetchedMedia {
  mimeType: string;
  filename: string;
  sizeBytes: number;
  sha256: string;
}

/** Why a message has failed for want of its file. */
export interface MediaFailure {
  code: 'MEDIA_REFUSED' | 'MEDIA_TOO_LARGE' | 'MEDIA_UNREACHABLE' | 'STORAGE_FULL';
  reason: string;
  retryable: boolean;
}

/**
 * The files to fetch, in PostgreSQL. What somebody else has taken meanwhile is not touched: then the methods answer false. What the
 * database rolls back, because somebody holds such rows in the other order, is done again.
 */
@Injectable()
export class MediaStore {
  constructor(
    private readonly system: SystemDatabase,
    private readonly wakeups: Wakeups,
  ) {}

  /**
   * Takes due files, in turn over the tenants: of received ones as many as there are slots of their server, of others at most
   * `addresses`.
   */
  take({ addresses, servers, busy, each, leaseMs }: MediaRoom): Promise<MediaJob[]> {
    const tally = [...busy];
    const columns = [0, 1, 2].map((nth) => tally.map((entry) => entry[nth]));
    return this.system.run<MediaJob>('takeMedia', [addresses, ...columns, each, leaseMs, ...servers]);
  }

  /**
   * The message may go, and a file that was received is one of the tenant's, on record; unless somebody else has taken it
   * (`lost`), or the tenant may not store so much (`full`), however many are stored at once and in whichever process.
   * @param limitBytes what the tenant may store; null where there is no bound
   */
  async stored(
    { tenant_id: tenantId, message_id: id, storage_key: key }: MediaJob,
    { mimeType, filename, sizeBytes, sha256 }: FetchedMedia,
    limitBytes: number | null,
  ): Promise<'stored' | 'full' | 'lost'> {
    const metadata = { size: sizeBytes, mime_type: mimeType };
    const entry = { action: 'FILE_RECEIVED', resource: `file:${id}`, metadata, personal: { name: filename } } as const;
    const record = auditRow(tenantId, SYSTEM, entry);
    const params = [tenantId, id, key, mimeType, filename, sizeBytes, sha256, limitBytes, ...record];
    const store = (run: SystemRun) => run<{ stored: boolean; full: boolean }>('mediaStored', params);
    const [row] = await rerun(() =>
      limitBytes === null
        ? store((statement, values) => this.system.run(statement, values))
        : this.system.transaction(async (run) => {
            await run('holdStorage', [tenantId]);
            return store(run);
          }),
    );
    if (row?.stored) this.wakeups.wake('lanes');
    return row?.stored ? 'stored' : row?.full ? 'full' : 'lost';
  }

  /** Tries again. @param counts whether this attempt was one of those that are allowed */
  later(job: MediaJob, inMs: number, { reason, counts }: { reason: string; counts: boolean }): Promise<boolean> {
    return this.change('mediaLater', job, [inMs, reason, counts ? 0 : 1]);
  }

  /** The message has failed, and what is behind it goes on. */
  failed(job: MediaJob, { code, reason, retryable }: MediaFailure): Promise<boolean> {
    return this.change('mediaFailed', job, [code, reason, retryable]);
  }

  /** Lets go of a file whose message does not wait for it any more; false also when it does after all. */
  unwanted(job: MediaJob): Promise<boolean> {
    return this.change('mediaUnwanted', job, []);
  }

  private async change(
    statement: 'mediaLater' | 'mediaFailed' | 'mediaUnwanted',
    { tenant_id, message_id, storage_key }: MediaJob,
    params: unknown[],
  ): Promise<boolean> {
    const rows = await rerun(() => this.system.run(statement, [tenant_id, message_id, storage_key, ...params]));
    if (rows.length > 0) this.wakeups.wake('lanes');
    return rows.length > 0;
  }
}
