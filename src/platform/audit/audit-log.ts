import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Actor, PLATFORM_TENANT_ID } from '../../common/actor';
import { Config } from '../../config/config';
import { BatchDatabase } from '../database/batch-database';
import type { TenantTransaction } from '../database/tenant-database';
import { isDataError } from '../database/database-error';
import { inTenantScope } from '../database/tenant-scope';
import { Metrics } from '../metrics/metrics';
import {
  AUDIT_COLUMN_TYPES,
  AUDIT_COLUMNS,
  type AuditActor,
  type AuditEntry,
  auditPlaceholders,
  auditRow,
  type AuditRow,
} from './audit-record';

/** Records that wait in memory: of reads and refusals only, never of a change. */
const BUFFER_MAX = 1_000;
const BATCH_MAX = 200;
const FLUSH_EVERY_MS = 500;
/** Of SHUTDOWN_TIMEOUT_S: the answers in flight came before, and others close what they hold after. */
const SHARE_OF_SHUTDOWN = 1 / 4;
const LAST_TRY_AGAIN_MS = 250;

const INSERT = `insert into audit_logs (${AUDIT_COLUMNS}) values (${auditPlaceholders(1)})`;
// With the time at which it happened; written once, also where an answer was lost and the batch is sent again.
const INSERT_MANY = `insert into audit_logs (${AUDIT_COLUMNS}, at)
  select * from unnest(${[...AUDIT_COLUMN_TYPES, 'timestamptz'].map((type, index) => `$${index + 1}::${type}[]`).join(', ')})
  on conflict do nothing`;

// Those of one transaction, with its time.
const INSERT_TOGETHER = `insert into audit_logs (${AUDIT_COLUMNS})
  select * from unnest(${AUDIT_COLUMN_TYPES.map((type, index) => `$${index + 1}::${type}[]`).join(', ')})`;

/** A record that waits, and when what it says happened. */
type Noted = [...row: AuditRow, at: Date];

/**
 * One statement that changes and records: `change` is an INSERT, UPDATE or DELETE with RETURNING, of `parameters` parameters;
 * the record is written where it changed anything, once, and what the change returned comes back. Parameters of the record
 * (AuditLog.row) follow those of the change.
 */
export const audited = (change: string, parameters: number): string => `
  with changed as (${change}),
  noted as (insert into audit_logs (${AUDIT_COLUMNS}) select ${auditPlaceholders(parameters + 1)} where exists (select from changed))
  select * from changed`;

/** Writes records within the transaction of the changes that they say, also where there is no AuditLog (tools). */
export async function recordTogether(tx: TenantTransaction, rows: readonly AuditRow[]): Promise<void> {
  await tx.query(
    INSERT_TOGETHER,
    AUDIT_COLUMN_TYPES.map((_type, column) => rows.map((row) => row[column])),
  );
}

/**
 * Writes the audit trail. What changes something is recorded in the statement or the transaction of the change: neither is
 * there without the other. What changes nothing goes through a bounded buffer, off the request's path.
 */
@Injectable()
export class AuditLog implements BeforeApplicationShutdown {
  private readonly logger = new Logger('Audit');
  private readonly dropped;
  private buffer: Noted[] = [];
  private droppedSoFar = 0;
  private timer: NodeJS.Timeout | undefined;
  private flushing: Promise<void> | undefined;

  constructor(
    private readonly batches: BatchDatabase,
    metrics: Metrics,
    private readonly config: Config,
  ) {
    this.dropped = metrics.counter({
      name: 'switchboard_audit_dropped_total',
      help: 'Records of reads and refusals that found the buffer full, that the database refused, or that the end of the process overtook',
    });
    metrics.observe({
      name: 'switchboard_audit_buffered',
      help: 'Records of reads and refusals that wait to be written',
      read: () => [{ value: this.buffer.length }],
    });
  }

  /** Records of reads and refusals that wait to be written. */
  get buffered(): number {
    return this.buffer.length;
  }

  /** How many of them were dropped since the start. */
  get lost(): number {
    return this.droppedSoFar;
  }

  /** Records the actor's change within the transaction of it, in the tenant of the actor. */
  record(tx: TenantTransaction, actor: Actor, entry: AuditEntry): Promise<void> {
    return this.recordAs(tx, actor.tenantId, actor, entry);
  }

  /** The same of several changes at once. */
  async recordMany(tx: TenantTransaction, actor: Actor, entries: readonly AuditEntry[]): Promise<void> {
    await recordTogether(
      tx,
      entries.map((entry) => auditRow(actor.tenantId, actor, entry)),
    );
  }

  /** The same where no actor is known, or it is not of the tenant; the transaction must be that tenant's. */
  async recordAs(tx: TenantTransaction, tenantId: string, who: AuditActor, entry: AuditEntry): Promise<void> {
    await tx.query(INSERT, auditRow(tenantId, who, entry));
  }

  /**
   * Records a change to a tenant in that tenant's chain and, where the platform made it, in the platform's own chain too, both
   * within the transaction of the change, which must be that tenant's. What is personal stays in the tenant's chain, where it
   * can be erased with the tenant.
   */
  async recordOfTenant(tx: TenantTransaction, tenantId: string, actor: Actor, entry: AuditEntry): Promise<void> {
    await this.recordAs(tx, tenantId, actor, entry);
    if (actor.kind !== 'platform') return;
    // The scope goes with each statement, not with the transaction: this one record is written as the platform's.
    await inTenantScope(PLATFORM_TENANT_ID, () =>
      this.recordAs(tx, PLATFORM_TENANT_ID, actor, { ...entry, personal: {} }),
    );
  }

  /** The parameters of the record for a statement made with `audited`. */
  row(actor: Actor, entry: AuditEntry): AuditRow {
    return auditRow(actor.tenantId, actor, entry);
  }

  /** Records what changed nothing (a read, a refusal), soon. Never fails and slows nobody: a full buffer drops it, counted. */
  note(tenantId: string, who: AuditActor, entry: AuditEntry): void {
    if (this.buffer.length >= BUFFER_MAX) return this.drop();
    this.buffer.push([...auditRow(tenantId, who, entry), new Date()]);
    this.timer ??= setTimeout(() => void this.flush(), FLUSH_EVERY_MS).unref();
  }

  /** Writes all that waits. Resolves when it is written, or cannot be written now; then it waits on. */
  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    // One at a time: two would take the same records out of the buffer.
    this.flushing ??= this.writeAll().finally(() => {
      this.flushing = undefined;
    });
    return this.flushing;
  }

  /**
   * Tries until all is written, for a quarter of the time that a shutdown has. What is left then is dropped, counted and logged;
   * of these, a batch that was on its way may still be written.
   */
  async beforeApplicationShutdown(): Promise<void> {
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(), this.config.SHUTDOWN_TIMEOUT_S * 1000 * SHARE_OF_SHUTDOWN);
    const tooLate = new Promise((resolve) => over.signal.addEventListener('abort', resolve));
    await Promise.race([this.flushUntilWritten(over.signal), tooLate]);
    clearTimeout(timer);
    if (this.buffer.length > 0) this.giveUp();
  }

  private async writeAll(): Promise<void> {
    while (this.buffer.length > 0) {
      const batch = this.buffer.slice(0, BATCH_MAX);
      try {
        await this.writeWhatCanBe(batch);
      } catch (error) {
        this.logger.warn({ msg: 'audit records could not be written yet', err: error, waiting: this.buffer.length });
        this.timer ??= setTimeout(() => void this.flush(), FLUSH_EVERY_MS * 4).unref();
        return;
      }
      this.buffer = this.buffer.slice(batch.length);
    }
  }

  private async flushUntilWritten(signal: AbortSignal): Promise<void> {
    await this.flush();
    while (this.buffer.length > 0 && !signal.aborted) {
      await sleep(LAST_TRY_AGAIN_MS);
      await this.flush();
    }
  }

  private giveUp(): void {
    clearTimeout(this.timer);
    const dropped = this.buffer.length;
    this.buffer = [];
    this.drop(dropped);
    this.logger.error({ msg: 'audit records could not be written before the end', dropped });
  }

  /** One record that the database refuses holds up none of the others. */
  private async writeWhatCanBe(batch: Noted[]): Promise<void> {
    try {
      await this.write(batch);
    } catch (error) {
      if (!isDataError(error)) throw error;
      if (batch.length > 1) return this.writeOneByOne(batch);
      this.drop();
      this.logger.error({ msg: 'an audit record was refused by the database', action: batch[0]?.[4], err: error });
    }
  }

  private async writeOneByOne(batch: Noted[]): Promise<void> {
    for (const row of batch) await this.writeWhatCanBe([row]);
  }

  private async write(batch: Noted[]): Promise<void> {
    const columns = [...AUDIT_COLUMN_TYPES, 'at'].map((_type, column) => batch.map((row) => row[column]));
    await this.batches.query(
      batch.map(([tenantId]) => tenantId),
      INSERT_MANY,
      columns,
    );
  }

  private drop(count = 1): void {
    this.droppedSoFar += count;
    this.dropped.inc(count);
  }
}
