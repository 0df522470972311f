/** A chat that is another id of a chat, and when that was said. */
export interface ChatAlias {
  alias: string;
  chat: string;
  at: Date;
  /** Whether WhatsApp named both ids as one person's; else it follows from a message of ours that came back under the other. */
  named: boolean;
}

/** What is known of an id already: of which chat it is an alias, and since when. */
export interface KnownAlias {
  chat: string;
  told_at: Date;
}

const PERSON = /^\d{5,20}@(?:c\.us|lid)$/;
/** Digits at the end that all spellings of a number share: what differs is before them (Brazil's 9, Mexico's 1, Argentina's 9). */
const SAME_END = 8;

const isHidden = (chat: string): boolean => chat.endsWith('@lid');
const endOf = (phone: string): string => (phone.split('@')[0] ?? '').slice(-SAME_END);

/** Whether they are phones that may be one number in two spellings. So nothing that is said ever joins two numbers. */
const spelledAlike = (one: string, other: string): boolean =>
  !isHidden(one) && !isHidden(other) && endOf(one).length === SAME_END && endOf(one) === endOf(other);

/**
 * What a message of ours tells that came back under another id of its chat: a hidden id (`@lid`) is the alias of a phone; of two
 * of a kind the one that WhatsApp uses stays, whatever was written to. Null where they are one id, not ids of persons, or
 * different numbers.
 * @param ours the chat of the message
 * @param told what WhatsApp calls it
 */
export function aliasOf(ours: string, told: string, at: Date): ChatAlias | null {
  if (ours === told || !PERSON.test(ours) || !PERSON.test(told)) return null;
  if (isHidden(told) && !isHidden(ours)) return { alias: told, chat: ours, at, named: false };
  const isOne = isHidden(ours) || spelledAlike(ours, told);
  return isOne ? { alias: ours, chat: told, at, named: false } : null;
}

/** The hidden id and the phone of somebody, where both are named; null unless they are one of each. */
export function personOf(one: string, other: string | null, at: Date): ChatAlias | null {
  if (other === null || isHidden(one) === isHidden(other)) return null;
  const alias = aliasOf(one, other, at);
  return alias && { ...alias, named: true };
}

/**
 * What is to be learnt from it beside what is known; null for nothing. The chat of the result is no alias itself. Where a hidden
 * id is said to have another phone, either that is the same number, and both spellings are one chat, or somebody has a new one:
 * then what was named last holds.
 * @param known by id, at least of both ids
 */
export function newsOf(told: ChatAlias, known: ReadonlyMap<string, KnownAlias>): ChatAlias | null {
  const chat = known.get(told.chat)?.chat ?? told.chat;
  const former = known.get(told.alias);
  if (chat === told.alias || chat === former?.chat) return null;
  if (!former) return { ...told, chat };
  if (spelledAlike(former.chat, chat))
    return told.named ? { ...told, alias: former.chat, chat } : { ...told, alias: chat, chat: former.chat };
  return told.named && former.told_at < told.at ? { ...told, chat } : null;
}
