import { Injectable } from '@nestjs/common';
import { GroupCommit } from '../../../platform/database/group-commit';
import { SystemDatabase, type SystemRun } from '../../../platform/database/system-database';
import { Wakeups } from '../../../platform/database/wakeups';
import type { SlotParams } from '../../../platform/loops/keyed-slots';
import type { LaneJob, UnsettledAttempt } from './lane-job';
import type { Outcome } from './outcome';

/** A lease outlives a worker that was frozen for less; a dead one's is freed at once, by its lock. */
export const LEASE_MS = 30_000;

/** So soon after its attempt is on record a call begins, or not at all: a worker that stood still for longer must not call. */
export const BEGINS_WITHIN_MS = LEASE_MS / 10;

const WAKE_AT_ONCE = 500;
/** Any number of each server. */
const UNBOUNDED: SlotParams = [[], [], 1_000_000];

interface Lane {
  tenant_id: string;
  session_id: string;
}

interface Finish {
  job: LaneJob;
  /** Number of the attempt; null when none was recorded, and only the lane is given back. */
  attempt: number | null;
  outcome: Outcome;
}

/** What is known by now of an attempt whose outcome was not. */
export interface Settled {
  status: 'sent' | 'delivered' | 'read' | 'played' | 'queued' | 'failed' | 'unknown';
  waId?: string;
  code?: string;
  note: string;
  /** Of `sent`: whether WhatsApp has confirmed it. */
  acked?: boolean;
  /** Of `queued`: until it is tried again; 0 unless told otherwise. */
  delayMs?: number;
}

/** The queue in PostgreSQL: claims, attempts, outcomes and leases, batched over all lanes that this worker drives. */
@Injectable()
export class LaneStore {
  private readonly attempts = new GroupCommit<{ job: LaneJob; waId: string | null }, number | null>({
    flush: (batch) => this.writeAttempts(batch),
  });
  private readonly finishes = new GroupCommit<Finish, void>({ flush: (batch) => this.writeFinishes(batch) });

  constructor(
    private readonly system: SystemDatabase,
    private readonly wakeups: Wakeups,
  ) {}

  /**
   * Takes up to so many due lanes, fairly over tenants, each with its next message; those without one are due no longer.
   * @param servers of each WAHA server as many as it has slots for
   */
  async claim(limit: number, servers: SlotParams = UNBOUNDED): Promise<{ lanes: number; jobs: LaneJob[] }> {
    return this.system.transaction(async (run) => {
      const lanes = await run<Lane>('lockDueLanes', [limit, ...servers]);
      return { lanes: lanes.length, jobs: await this.take(run, lanes, limit) };
    });
  }

  /** Of the next so many due lanes those without a message are due no longer. Answers how many. */
  async rest(limit: number): Promise<number> {
    return this.system.transaction(async (run) => {
      const lanes = await run<Lane>('lockEmptyLanes', [limit]);
      await this.take(run, lanes, 0);
      return lanes.length;
    });
  }

  /** Of lanes that are locked: what is accepted from now on waits for this to end, and finds the lane at rest. */
  private async take(run: SystemRun, lanes: Lane[], atMost: number): Promise<LaneJob[]> {
    if (lanes.length === 0) return [];
    return run<LaneJob>('claimHeads', [...columns(lanes), this.wakeups.workerId, LEASE_MS, atMost]);
  }

  /** Milliseconds until the next lane is due, of servers that have a slot; null when none is. */
  async nextDueMs(servers: SlotParams = UNBOUNDED): Promise<number | null> {
    const [row] = await this.system.run<{ due_in_ms: string | number }>('nextLaneDue', servers);
    return row ? Number(row.due_in_ms) : null;
  }

  /**
   * Puts the attempt on record, with the reserved message id, before WAHA is called.
   * @returns its number; null when the lease is lost or the message no longer waits: then WAHA must not be called.
   */
  recordAttempt(job: LaneJob, waId: string | null): Promise<number | null> {
    return this.attempts.add({ job, waId });
  }

  /** Writes the outcome and gives the lane back. */
  finish(job: LaneJob, attempt: number | null, outcome: Outcome): Promise<void> {
    return this.finishes.add({ job, attempt, outcome });
  }

  /** Extends the leases of the jobs that are being worked on, and of no others. */
  extend(jobs: LaneJob[]): Promise<void> {
    return this.lease(jobs, LEASE_MS);
  }

  /** Ends the lease at once: the sweep then takes the lane for lost, and what it had open, if anything, for unknown. */
  abandon(job: LaneJob): Promise<void> {
    return this.lease([job], 0);
  }

  /** Frees the lanes of workers that died; what they had open becomes unknown. Answers how many. */
  async sweep(): Promise<number> {
    const lost = await this.system.transaction(async (run) => {
      const lanes = await run<Lane>('lostLanes', [this.wakeups.workerId]);
      if (lanes.length > 0) await run('reopenLanes', columns(lanes));
      return lanes.length;
    });
    if (lost > 0) this.wakeups.wake('lanes');
    return lost;
  }

  /** Wakes lanes that sleep though something waits in them: whoever should have woken them has died. Answers how many. */
  async wakeForgotten(): Promise<number> {
    const woken = (await this.system.run('wakeForgotten', [WAKE_AT_ONCE])).length;
    if (woken > 0) this.wakeups.wake('lanes');
    return woken;
  }

  /** Unknown outcomes that are due to be asked for, of each WAHA server as many as it has slots for; each is put off by `againInMs`. */
  takeUnsettled(servers: SlotParams, againInMs: number): Promise<UnsettledAttempt[]> {
    return this.system.run<UnsettledAttempt>('takeUnsettled', [againInMs, ...servers]);
  }

  /** Asks again later. */
  async putOff(attempt: UnsettledAttempt, inMs: number): Promise<void> {
    await this.system.run('putOffSettlement', [attempt.tenant_id, attempt.id, attempt.attempts, inMs]);
  }

  /** Writes what became of an unknown outcome; `unknown` gives up asking and lets the chat go on. */
  async settle(attempt: UnsettledAttempt, found: Settled): Promise<void> {
    const { tenant_id, id, attempts } = attempt;
    await this.system.run('settle', [
      tenant_id,
      id,
      attempts,
      found.status,
      found.waId ?? null,
      found.code ?? null,
      found.note,
      found.acked ?? false,
      found.delayMs ?? 0,
    ]);
    this.wakeups.wake('lanes');
  }

  private async lease(jobs: LaneJob[], forMs: number): Promise<void> {
    if (jobs.length === 0) return;
    const epochs = jobs.map(({ epoch }) => epoch);
    await this.system.run('extendLeases', [...columns(jobs), epochs, this.wakeups.workerId, forMs]);
  }

  private async writeAttempts(batch: { job: LaneJob; waId: string | null }[]): Promise<(number | null)[]> {
    const jobs = batch.map(({ job }) => job);
    const rows = await this.system.run<{ id: string; attempts: number }>('recordAttempts', [
      ...columns(jobs),
      jobs.map(({ id }) => id),
      jobs.map(({ epoch }) => epoch),
      batch.map(({ waId }) => waId),
      this.wakeups.workerId,
    ]);
    const numbers = new Map(rows.map(({ id, attempts }) => [id, attempts]));
    return jobs.map(({ id }) => numbers.get(id) ?? null);
  }

  private async writeFinishes(batch: Finish[]): Promise<void[]> {
    await this.system.run('finishAttempts', [
      ...columns(batch.map(({ job }) => job)),
      batch.map(({ job, attempt }) => (attempt === null ? null : job.id)),
      batch.map(({ job }) => job.epoch),
      batch.map(({ attempt }) => attempt),
      batch.map(({ outcome }) => outcome.status),
      batch.map(({ outcome }) => outcome.waId),
      batch.map(({ outcome }) => outcome.errorCode),
      batch.map(({ outcome }) => outcome.error),
      batch.map(({ outcome }) => outcome.delayMs),
      batch.map(({ outcome }) => outcome.lane),
      this.wakeups.workerId,
      batch.map(({ outcome }) => outcome.firstsClosedMs ?? null),
    ]);
    // Whether the whole server refuses us is asked soon.
    if (batch.some(({ outcome }) => outcome.errorCode === 'WAHA_REFUSED')) this.wakeups.wake('sessions');
    return batch.map(() => undefined);
  }
}

const columns = (lanes: Lane[]): [string[], string[]] => [
  lanes.map(({ tenant_id }) => tenant_id),
  lanes.map(({ session_id }) => session_id),
];
