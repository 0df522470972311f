import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../../../config/config';
import { uniqueViolation } from '../../../platform/database/database-error';
import { KeyedSlots } from '../../../platform/loops/keyed-slots';
import { Periodic } from '../../../platform/loops/periodic';
import { WahaFailure } from '../../waha/waha.errors';
import type { WahaMessage } from '../../waha/waha.events';
import { isFile, WahaServers } from '../../waha/waha-servers.service';
import type { UnsettledAttempt } from './lane-job';
import { BEGINS_WITHIN_MS, LaneStore } from './lane-store.service';
import { MAX_ATTEMPTS, retryMs } from './outcome';

const EVERY_MS = 250;
/** Questions to one WAHA server: one that hangs takes nothing from the others. */
const AT_ONCE = 20;
/** While an attempt is being asked about, nobody else asks: for as long as the question may take, and this. */
const AGAIN_MARGIN_MS = 5_000;
const AFTER_FAILURE_MS = 2_000;
/** What WAHA did though the call went wrong it mostly knows at once; then the questions become rarer. */
const RECHECK_MS = 500;
const RECHECK_AT_MOST_MS = 5_000;
/** A WAHA that has answered the question with errors for so long will not say. What is unknown holds up its chat. */
const PATIENCE_MS = 3_600_000;
/** WAHA has answered, though with an error: what it did it has done, and its store follows. */
const AFTER_ANSWER_MS = 2_000;
/** WhatsApp's clock counts seconds, and clocks differ. */
const CLOCK_MARGIN_MS = 5_000;

/**
 * Settles unknown outcomes by asking WAHA: a message that it knows was sent; one that it does not know, once that is certain,
 * is sent again under the same reserved id, after a pause that grows with its attempts. Where no id could be reserved (WEBJS, files)
 * the chat's own messages are compared, and what is not found stays `unknown`, as does what WAHA may have forgotten: it is never
 * sent again blindly.
 */
@Injectable()
export class Settlement implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(Settlement.name);
  private readonly loop: Periodic;
  private readonly slots = new KeyedSlots(AT_ONCE);

  constructor(
    private readonly config: Config,
    private readonly store: LaneStore,
    private readonly servers: WahaServers,
  ) {
    this.loop = new Periodic({
      everyMs: EVERY_MS,
      run: () => this.settleDue(),
      onError: (error) => this.logger.warn({ msg: 'settlement: round failed', err: error }),
    });
  }

  onApplicationBootstrap(): void {
    if (this.config.works) this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
    await this.slots.settled();
  }

  /** Does not wait for the answers: a session that hangs holds up no other. */
  private async settleDue(): Promise<void> {
    const again = this.config.WAHA_TIMEOUT_MS + AGAIN_MARGIN_MS;
    for (const attempt of await this.store.takeUnsettled(this.slots.params, again))
      this.slots.run(
        attempt.server_id,
        this.settleOne(attempt).catch((error: unknown) => this.notNow(attempt, error)),
      );
  }

  private async notNow(attempt: UnsettledAttempt, error: unknown): Promise<void> {
    this.logger.debug({ msg: 'not settled yet', err: error, message_id: attempt.id });
    // Where that fails it comes back by itself.
    if (isAnswer(error) && attempt.doubt_ms > PATIENCE_MS)
      await this.giveUp(attempt, 'an answer to the question').catch(() => undefined);
    else await this.store.putOff(attempt, Math.max(AFTER_FAILURE_MS, pauseAfter(attempt))).catch(() => undefined);
  }

  private async settleOne(attempt: UnsettledAttempt): Promise<void> {
    const { client } = await this.servers.byId(attempt.server_id);
    // Taken before the question: what is certain must have been certain when WAHA looked.
    const certainInMs = this.certainInMs(attempt);
    const waId = idOf(attempt);
    if (waId !== null) {
      const found = await client.findMessage(attempt.waha_name, waId);
      return found ? this.wasSent(attempt, found) : this.notFound(attempt, certainInMs);
    }
    const since = new Date(attempt.attempted_at.getTime() - CLOCK_MARGIN_MS);
    const candidates = await client.ownMessagesSince(attempt.waha_name, attempt.chat, since);
    const alike = candidates
      .filter((candidate) => isAlike(candidate, attempt))
      .sort((a, b) => a.at.getTime() - b.at.getTime());
    for (const candidate of alike) if (await this.bind(attempt, candidate)) return;
    return this.notFound(attempt, certainInMs);
  }

  /** False when that message of WhatsApp is another message of ours. */
  private async bind(attempt: UnsettledAttempt, found: WahaMessage): Promise<boolean> {
    try {
      await this.wasSent(attempt, found);
      return true;
    } catch (error) {
      if (uniqueViolation(error) === 'messages_wa_id_key') return false;
      throw error;
    }
  }

  private wasSent(attempt: UnsettledAttempt, { waId, status }: WahaMessage): Promise<void> {
    if (status === 'failed')
      return this.store.settle(attempt, { status, waId, code: 'ACK_ERROR', note: 'WhatsApp refused it' });
    const note = 'WAHA knows the message';
    return this.store.settle(attempt, { status: status ?? 'sent', waId, note, acked: status !== null });
  }

  private notFound(attempt: UnsettledAttempt, certainInMs: number): Promise<void> {
    if (certainInMs > 0) return this.store.putOff(attempt, Math.min(certainInMs, pauseAfter(attempt)));
    if (!attempt.wa_id_reserved || idOf(attempt) === null) return this.giveUp(attempt, 'an id of its own');
    if (attempt.forgotten) return this.giveUp(attempt, 'what WAHA knew before its login was lost');
    const note = 'WAHA does not know the message';
    if (attempt.burned >= MAX_ATTEMPTS)
      return this.store.settle(attempt, { status: 'failed', code: 'ATTEMPTS_EXHAUSTED', note });
    return this.store.settle(attempt, { status: 'queued', note, delayMs: retryMs(attempt.burned - 1, Math.random) });
  }

  private giveUp(attempt: UnsettledAttempt, without: string): Promise<void> {
    return this.store.settle(attempt, {
      status: 'unknown',
      note: `WAHA cannot tell; not sent again without ${without}`,
    });
  }

  /**
   * How long until "WAHA does not know it" is an answer; 0 or less: it is. A call that got no answer in time may be done by a
   * slow WAHA for `WAHA_LATE_MS` more. The call of a lost worker, which may only be cut off, began in time and had its time.
   */
  private certainInMs({ error_code, age_ms, doubt_ms, type }: UnsettledAttempt): number {
    const { WAHA_TIMEOUT_MS, WAHA_FILE_TIMEOUT_MS, WAHA_LATE_MS } = this.config;
    if (error_code === 'WAHA_ERROR') return AFTER_ANSWER_MS - doubt_ms;
    if (error_code === 'WAHA_TIMEOUT') return WAHA_LATE_MS - doubt_ms;
    const callMs = isFile(type) ? WAHA_FILE_TIMEOUT_MS : WAHA_TIMEOUT_MS;
    return BEGINS_WITHIN_MS + callMs + WAHA_LATE_MS - age_ms;
  }
}

/** Not that the session or the key is not ready, which somebody mends. */
const isAnswer = (error: unknown): boolean =>
  error instanceof WahaFailure &&
  error.kind === 'answered' &&
  !error.sessionNotReady &&
  ![401, 403, 429].includes(error.status);

const pauseAfter = ({ doubt_ms }: UnsettledAttempt): number =>
  Math.min(RECHECK_AT_MOST_MS, Math.max(RECHECK_MS, doubt_ms / 4));

/** The id under which WAHA would have it. One that was reserved for a file, as was done once, WAHA has dropped. */
const idOf = ({ type, wa_id, wa_id_reserved }: UnsettledAttempt): string | null =>
  wa_id_reserved && isFile(type) ? null : wa_id;

/**
 * The same words, or without words the same kind; whatever was sent as a `file` comes back as what it is. In a list WAHA does not say
 * of what kind a file is.
 */
function isAlike({ body, type, media }: WahaMessage, attempt: UnsettledAttempt): boolean {
  if (body !== attempt.body) return false;
  if (media !== null && media.mimetype === null) return isFile(attempt.type);
  return body !== null || type === attempt.type || (media !== null && attempt.type === 'file');
}
