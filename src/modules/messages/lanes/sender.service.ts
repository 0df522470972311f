import { Injectable, Logger } from '@nestjs/common';
import { WahaFailure } from '../../waha/waha.errors';
import { type WahaServer, WahaServers } from '../../waha/waha-servers.service';
import { MessageMetrics } from '../message.metrics';
import type { LaneJob } from './lane-job';
import { LEASE_MS, LaneStore } from './lane-store.service';
import { type AttemptState, type Outcome, outcomeOf, sent, waiting } from './outcome';

/** A worker that stood still for longer than this must not call WAHA any more: somebody else may have the lane. */
const STALE_AFTER_MS = LEASE_MS / 2;
const FINISH_RETRY_MS = 250;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Makes one attempt to send one message: reserve the id, put the attempt on record, call WAHA, write the outcome. */
@Injectable()
export class Sender {
  private readonly logger = new Logger(Sender.name);

  constructor(
    private readonly store: LaneStore,
    private readonly servers: WahaServers,
    private readonly metrics: MessageMetrics,
  ) {}

  /**
   * Never rejects: what goes wrong is an outcome; an outcome that cannot be written now is written when the database is back.
   * Where it is not known whether the attempt is on record (the answer to that was lost), the lane is left to the sweep.
   */
  async send(job: LaneJob): Promise<void> {
    const made = await this.attempt(job).catch((error: unknown) => {
      this.logger.error({ msg: 'attempt broke off', err: error, message_id: job.id });
      return null;
    });
    if (made === null) return this.untilWritten(job, () => this.store.abandon(job));
    const { attempt, outcome } = made;
    await this.untilWritten(job, () => this.store.finish(job, attempt, outcome));
    if (attempt !== null) this.metrics.attempted(outcome.status, outcome.errorCode);
  }

  private async attempt(job: LaneJob): Promise<{ attempt: number | null; outcome: Outcome }> {
    const state: AttemptState = { attempt: job.attempts + 1, strikes: job.strikes, random: Math.random };
    const server = await this.servers.byId(job.server_id);
    let waId: string | null;
    try {
      waId = await this.reserveId(server, job);
    } catch (error) {
      return { attempt: null, outcome: beforeTheAttempt(asFailure(error), state) };
    }
    const begun = performance.now();
    const attempt = await this.store.recordAttempt(job, waId);
    if (attempt === null) return { attempt, outcome: NOTHING_DONE };
    if (performance.now() - begun > STALE_AFTER_MS)
      return { attempt, outcome: { ...NOTHING_DONE, errorCode: 'WORKER_STALLED' } };
    return { attempt, outcome: await this.call(server, job, { waId, state: { ...state, attempt } }) };
  }

  /** The id of this message in WhatsApp, the same in every attempt; null where the engine reserves none. */
  private async reserveId(server: WahaServer, job: LaneJob): Promise<string | null> {
    await this.servers.ensureProbed(server);
    if (job.wa_id !== null || !server.reservesIds) return job.wa_id;
    return server.client.newMessageId(job.waha_name);
  }

  private async call(
    server: WahaServer,
    job: LaneJob,
    reserved: { waId: string | null; state: AttemptState },
  ): Promise<Outcome> {
    const { waId, state } = reserved;
    try {
      const text = { chatId: job.chat, text: job.body ?? '', linkPreview: job.content.link_preview !== false };
      return sent(await server.client.sendText(job.waha_name, waId === null ? text : { ...text, id: waId }));
    } catch (error) {
      return outcomeOf(asFailure(error), state);
    }
  }

  private async untilWritten(job: LaneJob, write: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await write();
      } catch (error) {
        this.logger.warn({ msg: 'outcome not written yet', err: error, message_id: job.id });
        await sleep(FINISH_RETRY_MS);
      }
    }
  }
}

/** The message keeps its place; nothing was tried. */
const NOTHING_DONE: Outcome = {
  status: 'queued',
  waId: null,
  errorCode: null,
  error: null,
  delayMs: 1_000,
  lane: 'wait',
};

const asFailure = (error: unknown): WahaFailure =>
  error instanceof WahaFailure ? error : new WahaFailure('unreachable', 0, 'internal', { cause: error });

/** Reserving an id sends nothing: whatever failed there, the lane waits or parks and the message is untouched. */
function beforeTheAttempt(failure: WahaFailure, state: AttemptState): Outcome {
  const outcome = outcomeOf(failure, state);
  return outcome.lane === 'park' ? outcome : waiting(failure, state);
}
