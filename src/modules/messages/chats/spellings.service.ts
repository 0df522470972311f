import { Injectable, Logger } from '@nestjs/common';
import { WahaFailure } from '../../waha/waha.errors';
import type { WahaServer } from '../../waha/waha-servers.service';
import type { LaneJob } from '../lanes/lane-job';
import { aliasOf } from './alias-of';
import { ChatAliases } from './chat-aliases.service';

/** Mobile numbers of Brazil with and without their ninth digit, of Mexico with and without the 1, of Argentina with and without the 9. */
const SPELLED_TWO_WAYS = /^(?:55\d{2}9?[6-9]\d{7}|521?\d{10}|549?\d{10})@c\.us$/;

/** Whether a number is of a country that spells its numbers in two ways: only then WhatsApp is asked which one it uses. */
export const isSpelledTwoWays = (chat: string): boolean => SPELLED_TWO_WAYS.test(chat);

/** Asks WhatsApp for its own spelling of a number before it is written to for the first time. */
@Injectable()
export class Spellings {
  private readonly logger = new Logger(Spellings.name);

  constructor(private readonly aliases: ChatAliases) {}

  /**
   * Whether the message's chat turned out to be another, to which it belongs from now on: then it must not be sent as it was claimed,
   * since something there may come before it. What WAHA cannot say is settled by the acks.
   * @throws WahaFailure where nothing can be sent now either: asking again at once would only wait twice
   */
  async learn(job: LaneJob, { client }: WahaServer): Promise<boolean> {
    if (!job.is_new || !isSpelledTwoWays(job.chat)) return false;
    const told = await client.numberOf(job.waha_name, job.chat).catch((error: unknown) => {
      if (error instanceof WahaFailure && (error.kind === 'unreachable' || error.sessionNotReady)) throw error;
      this.logger.debug({ msg: 'the spelling of a number is not known', err: error, message_id: job.id });
      return null;
    });
    const alias = told === null ? null : aliasOf(job.chat, told, new Date());
    if (!alias) return false;
    const session = { tenantId: job.tenant_id, sessionId: job.session_id };
    return (await this.aliases.learnAlone(session, [alias])).length > 0;
  }
}
