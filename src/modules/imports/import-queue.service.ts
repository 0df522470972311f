import { Injectable } from '@nestjs/common';
import { SystemDatabase } from '../../platform/database/system-database';
import type { ImportKindName } from './import-kind';
import type { ImportFormat, ImportStatus } from './imports.repository';
import type { Place } from './records';

/** An import that this worker has. */
export interface ImportJob {
  tenantId: string;
  id: string;
  kind: ImportKindName;
  format: ImportFormat;
  /** `uploading`: an upload that nobody went on with. Ended ones still have their file. */
  status: Exclude<ImportStatus, 'queued'> | 'uploading';
  actorKind: 'user' | 'key' | 'platform';
  actorId: string;
  storageKey: string | null;
  sizeBytes: number;
  /** Fences what this worker writes. */
  lease: string;
  /** Since something was written last, this one included. */
  attempts: number;
  /** How far it is worked off. */
  place: Place;
}

type TakenRow = Omit<ImportJob, 'sizeBytes' | 'place'> & { sizeBytes: string | null; nextByte: string; line: string };

/** The imports that something is to be done with, of all tenants. What somebody else has taken meanwhile is not touched. */
@Injectable()
export class ImportQueue {
  constructor(private readonly system: SystemDatabase) {}

  /** Takes one that is due; null when none is. @param leaseMs after that time without a sign the worker counts as dead */
  async take(leaseMs: number): Promise<ImportJob | null> {
    const [row] = await this.system.run<TakenRow>('takeImport', [leaseMs]);
    if (!row) return null;
    const { sizeBytes, nextByte, line, ...job } = row;
    return { ...job, sizeBytes: Number(sizeBytes ?? 0), place: { byte: Number(nextByte), line: Number(line) } };
  }

  /** It goes on in so many milliseconds. @param counts whether this attempt was one of those that are allowed */
  async later({ tenantId, id, lease }: ImportJob, inMs: number, counts: boolean): Promise<void> {
    await this.system.run('importLater', [tenantId, id, lease, inMs, counts ? 0 : 1]);
  }

  /** Nothing is left to be done with it: its file is gone. */
  async tidied({ tenantId, id, lease }: ImportJob): Promise<void> {
    await this.system.run('importTidied', [tenantId, id, lease]);
  }

  /** The upload is gone. */
  async forgotten({ tenantId, id, lease }: ImportJob): Promise<void> {
    await this.system.run('importForgotten', [tenantId, id, lease]);
  }
}
