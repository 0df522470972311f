import { Injectable } from '@nestjs/common';
import type { TenantTransaction } from '../../../platform/database/tenant-database';
import type { SessionKey } from '../../waha/session-states.service';
import { type ChatAlias, newsOf } from './alias-of';
import { ChatAliasesRepository } from './chat-aliases.repository';

/**
 * One person has several ids in WhatsApp: a phone, which people spell in two ways, and a hidden id (`@lid`). Of each session it is
 * kept which of them are one chat, and under which of them everything of that chat goes: the phone as WhatsApp spells it, or
 * the hidden id while no phone is known.
 */
@Injectable()
export class ChatAliases {
  constructor(private readonly aliases: ChatAliasesRepository) {}

  /**
   * Learns in a transaction that has locked neither a lane nor a message yet: what waits for the alias waits for the chat from
   * now on, in one order, and what is known of either is known of both. Doing it twice changes nothing.
   * @returns the chats of which more is known now
   */
  async learn(tx: TenantTransaction, session: SessionKey, told: readonly ChatAlias[]): Promise<string[]> {
    if (told.length === 0) return [];
    const ids = told.flatMap(({ alias, chat }) => [alias, chat]);
    const known = await this.aliases.known(tx, session, ids);
    if (told.every((each) => newsOf(each, known) === null)) return [];
    await this.aliases.hold(tx, session);
    const learnt: string[] = [];
    for (const each of told) {
      const news = newsOf(each, await this.aliases.known(tx, session, [each.alias, each.chat]));
      if (!news) continue;
      await this.aliases.learn(tx, session, news);
      learnt.push(news.chat);
    }
    return learnt;
  }

  /** The same in a transaction of its own. */
  async learnAlone(session: SessionKey, told: readonly ChatAlias[]): Promise<string[]> {
    if (told.length === 0) return [];
    return this.aliases.transaction(session.tenantId, async (tx) => {
      await this.aliases.hold(tx, session);
      return this.learn(tx, session, told);
    });
  }
}
