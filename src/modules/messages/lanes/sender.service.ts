import { Injectable, Logger } from '@nestjs/common';
import { WahaFailure } from '../../waha/waha.errors';
import { isDataError } from '../../../platform/database/database-error';
import { isFile, type WahaServer, WahaServers } from '../../waha/waha-servers.service';
import { Spellings } from '../chats/spellings.service';
import { MediaLinks } from '../media/media-links.service';
import { MessageMetrics } from '../message.metrics';
import type { LaneJob } from './lane-job';
import { outgoingOf } from './outgoing-content';
import { BEGINS_WITHIN_MS, LaneStore } from './lane-store.service';
import { type AttemptState, type Outcome, outcomeOf, sent, waiting } from './outcome';

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
    private readonly links: MediaLinks,
    private readonly spellings: Spellings,
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
    await this.untilWritten(job, (plain) => this.store.finish(job, attempt, plain ? inOurWords(outcome) : outcome));
    if (attempt !== null) this.metrics.attempted(outcome.status, outcome.errorCode);
  }

  private async attempt(job: LaneJob): Promise<{ attempt: number | null; outcome: Outcome }> {
    const state = { burned: job.burned, strikes: job.strikes, random: Math.random };
    let ready: Ready | null;
    try {
      ready = await this.prepare(job);
    } catch (error) {
      return { attempt: null, outcome: beforeTheAttempt(asFailure(error), { ...state, reserved: false }) };
    }
    if (ready === null) return { attempt: null, outcome: ANEW };
    const begun = performance.now();
    const attempt = await this.store.recordAttempt(job, ready.waId);
    if (attempt === null) return { attempt, outcome: NOTHING_DONE };
    if (performance.now() - begun > BEGINS_WITHIN_MS)
      return { attempt, outcome: { ...NOTHING_DONE, errorCode: 'WORKER_STALLED' } };
    return { attempt, outcome: await this.call(job, ready, { ...state, reserved: ready.waId !== null }) };
  }

  /**
   * All that can be asked before the attempt: nothing of it sends. The id is the same in every attempt. Where the engine
   * reserves none, and of a file, for which WAHA takes none, the session's state is looked at first: there a call into a WAHA that is
   * away leaves an unknown outcome. An id that was reserved where it does not count is given up. Null: its chat is another by now.
   */
  private async prepare(job: LaneJob): Promise<Ready | null> {
    const server = await this.servers.byId(job.server_id);
    await this.servers.ensureProbed(server);
    if (await this.spellings.learn(job, server)) return null;
    if (server.reservesIds && !isFile(job.type))
      return { server, waId: job.wa_id ?? (await server.client.newMessageId(job.waha_name)) };
    const info = await server.client.getSession(job.waha_name);
    if (info?.status !== 'WORKING') throw sessionNotReady(info?.status);
    return { server, waId: null };
  }

  private async call(job: LaneJob, { server, waId }: Ready, state: AttemptState): Promise<Outcome> {
    try {
      const { chat: chatId, content } = job;
      const link = () => this.links.linkTo({ tenantId: job.tenant_id, messageId: job.id });
      const message = { chatId, content: outgoingOf(job, link), id: waId ?? undefined, replyTo: content.quoted };
      return sent(await server.client.send(job.waha_name, message));
    } catch (error) {
      return outcomeOf(asFailure(error), state);
    }
  }

  /** @param write told whether to leave out what came from WAHA, after the database has refused that. */
  private async untilWritten(job: LaneJob, write: (plain: boolean) => Promise<void>): Promise<void> {
    for (let plain = false; ;) {
      try {
        return await write(plain);
      } catch (error) {
        plain ||= isDataError(error);
        this.logger.warn({ msg: 'outcome not written yet', err: error, message_id: job.id });
        await sleep(FINISH_RETRY_MS);
      }
    }
  }
}

/** What an attempt needs. */
interface Ready {
  server: WahaServer;
  waId: string | null;
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

/** The same, and it is claimed again at once, in its turn. */
const ANEW: Outcome = { ...NOTHING_DONE, delayMs: 0 };

/** The outcome without what WAHA said of it. */
const inOurWords = (outcome: Outcome): Outcome => ({ ...outcome, waId: null, error: null });

const sessionNotReady = (status = 'gone'): WahaFailure =>
  new WahaFailure('answered', 422, `Session status is not as expected: ${status}`);

const asFailure = (error: unknown): WahaFailure =>
  error instanceof WahaFailure ? error : new WahaFailure('unreachable', 0, 'internal', { cause: error });

/** Reserving an id sends nothing: whatever failed there, the lane waits or parks and the message is untouched. */
function beforeTheAttempt(failure: WahaFailure, state: AttemptState): Outcome {
  const outcome = outcomeOf(failure, state);
  return outcome.lane === 'park' ? outcome : waiting(failure, state);
}
