import type { MessageChange } from '../waha/waha.events';

/** The message that is to be changed, as far as it matters who may. */
export interface ChangedMessage {
  direction: 'inbound' | 'outbound';
  chat: string;
  author: string | null;
}

type Doing = Pick<MessageChange, 'chat' | 'fromMe' | 'author'>;

/**
 * Whether the change comes from where the message is. Members of a group know the ids of its messages, and the engines hand
 * on whatever anybody claims to change. In a chat of two nobody else knows them, and its id need not be the same in all events.
 */
export const isOfItsChat = ({ chat }: Doing, message: ChangedMessage): boolean =>
  isGroup(chat) || isGroup(message.chat) ? chat === message.chat : true;

/** Only who wrote a message edits it. */
export const mayEdit = (doing: Doing, message: ChangedMessage): boolean =>
  isOfItsChat(doing, message) && isByAuthor(doing, message);

/** Who wrote it revokes it, and in a group its administrators: who they are, only WhatsApp knows. */
export const mayRevoke = (doing: Doing, message: ChangedMessage): boolean =>
  isOfItsChat(doing, message) && (isGroup(message.chat) || isByAuthor(doing, message));

/** Whether who does it wrote the message. */
export function isByAuthor({ fromMe, author }: Doing, message: ChangedMessage): boolean {
  if (fromMe !== (message.direction === 'outbound')) return false;
  if (fromMe || !isGroup(message.chat) || author === null || message.author === null) return true;
  return mayBeOne(author, message.author);
}

const isGroup = (chat: string): boolean => chat.endsWith('@g.us');

/** Of one person WhatsApp has two ids, of two kinds, and WAHA may add the number of a device. */
function mayBeOne(one: string, other: string): boolean {
  const [user = '', server] = one.split('@');
  const [otherUser = '', otherServer] = other.split('@');
  return server !== otherServer || withoutDevice(user) === withoutDevice(otherUser);
}

const withoutDevice = (user: string): string => user.replace(/:\d+$/, '');
