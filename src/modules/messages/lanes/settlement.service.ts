import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../../../config/config';
import { uniqueViolation } from '../../../platform/database/database-error';
import { KeyedSlots } from '../../../platform/loops/keyed-slots';
import { Periodic } from '../../../platform/loops/periodic';
import type { WahaMessage } from '../../waha/waha.events';
import { WahaServers } from '../../waha/waha-servers.service';
import type { UnsettledAttempt } from './lane-job';
import { LaneStore } from './lane-store.service';
import { MAX_ATTEMPTS } from './outcome';

const EVERY_MS = 250;
/** Questions to one WAHA server: one that hangs takes nothing from the others. */
const AT_ONCE = 20;
/** While an attempt is being asked about, nobody else asks: for as long as the question may take, and this. */
const AGAIN_MARGIN_MS = 5_000;
const AFTER_FAILURE_MS = 2_000;
const RECHECK_MS = 500;
/** Beyond the call's own time-out, what WAHA has not seen by now never reached it. */
const CERTAIN_MARGIN_MS = 2_000;
/** WhatsApp's clock counts seconds, and clocks differ. */
const CLOCK_MARGIN_MS = 5_000;

/**
 * Settles unknown outcomes by asking WAHA: a message that it knows was sent; one that it does not know, once that is certain,
 * is sent again under the same reserved id. Where no id could be reserved the chat's own messages are compared, and what is
 * not found stays `unknown`: it is never sent again blindly.
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
    await this.store.putOff(attempt, AFTER_FAILURE_MS).catch(() => undefined); // else it comes back by itself
  }

  private async settleOne(attempt: UnsettledAttempt): Promise<void> {
    const { client } = await this.servers.byId(attempt.server_id);
    // Taken before the question: what is certain must have been certain when WAHA looked.
    const certain = this.isCertain(attempt);
    if (attempt.wa_id !== null) {
      const found = await client.findMessage(attempt.waha_name, attempt.wa_id);
      return found ? this.wasSent(attempt, found) : this.notFound(attempt, certain);
    }
    const since = new Date(attempt.attempted_at.getTime() - CLOCK_MARGIN_MS);
    const candidates = await client.ownMessagesSince(attempt.waha_name, attempt.chat, since);
    const alike = candidates
      .filter((candidate) => isAlike(candidate, attempt))
      .sort((a, b) => a.at.getTime() - b.at.getTime());
    for (const candidate of alike) if (await this.bind(attempt, candidate)) return;
    return this.notFound(attempt, certain);
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

  private notFound(attempt: UnsettledAttempt, certain: boolean): Promise<void> {
    if (!certain) return this.store.putOff(attempt, RECHECK_MS);
    if (!attempt.wa_id_reserved)
      return this.store.settle(attempt, {
        status: 'unknown',
        note: 'WAHA cannot tell; not sent again without an id of its own',
      });
    const note = 'WAHA does not know the message';
    if (attempt.burned >= MAX_ATTEMPTS)
      return this.store.settle(attempt, { status: 'failed', code: 'ATTEMPTS_EXHAUSTED', note });
    return this.store.settle(attempt, { status: 'queued', note });
  }

  /** Whether "WAHA does not know it" is an answer: the call has ended, or had its time and more. */
  private isCertain({ error_code, age_ms }: UnsettledAttempt): boolean {
    const callMs = error_code === 'WAHA_ERROR' ? 0 : this.config.WAHA_TIMEOUT_MS;
    return age_ms > callMs + CERTAIN_MARGIN_MS;
  }
}

/** The same words, or without words the same kind; whatever was sent as a `file` comes back as what it is. */
function isAlike({ body, type, media }: WahaMessage, attempt: UnsettledAttempt): boolean {
  if (body !== attempt.body) return false;
  return body !== null || type === attempt.type || (media !== null && attempt.type === 'file');
}
