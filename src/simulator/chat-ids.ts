/** A chat as WAHA names it in its answers: `55..@c.us`; a bare number gets `@c.us`, `@s.whatsapp.net` is converted. */
export function toChatId(chat: string): string {
  if (!chat.includes('@')) return `${chat}@c.us`;
  return chat.replace(/@s\.whatsapp\.net$/, '@c.us');
}

/** The same chat as the engines name it inside `_data`: `55..@s.whatsapp.net`. */
export function toJid(chatId: string): string {
  return chatId.replace(/@c\.us$/, '@s.whatsapp.net');
}

/** Whether the chat is a group. */
export function isGroup(chatId: string): boolean {
  return chatId.endsWith('@g.us');
}

/** The parts of a message id that a caller may give in full (`true_chat_bare[_participant]`) or bare. */
interface MessageIdParts {
  bareId: string;
  /** Null for a bare id. */
  chatId: string | null;
}

/** Takes a message id apart; bare ids are opaque and may hold underscores themselves. */
export function parseMessageId(id: string): MessageIdParts {
  const [, chatId, rest] = /^(?:true|false)_([^_]+@[^_]+)_(.+)$/.exec(id) ?? [];
  if (chatId === undefined || rest === undefined) return { bareId: id, chatId: null };
  const participant = /^(.+)_[^_]+@[^_]+$/.exec(rest);
  return { bareId: participant?.[1] ?? rest, chatId };
}
