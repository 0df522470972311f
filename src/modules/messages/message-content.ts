import { CommonErrors } from '../../common/common.errors';
import { chatAddress } from './chat-address';

/** Where something is. */
export interface Location {
  latitude: number;
  longitude: number;
  title?: string;
}

/** Somebody's card. */
export interface ContactCard {
  full_name: string;
  phone_number: string;
  organization?: string;
}

/** A question with answers to choose from. */
export interface Poll {
  name: string;
  options: string[];
  /** Whether more than one may be chosen. */
  multiple?: boolean;
}

/** The kinds of messages that can be sent, each by the field that holds it. */
export const SENT_TYPES = ['text', 'location', 'contact', 'poll'] as const;
export type SentType = (typeof SENT_TYPES)[number];

/** What is sent, in exactly one of its fields. */
export interface ContentDraft {
  text?: string;
  location?: Location;
  contact?: ContactCard;
  poll?: Poll;
}

/** What is stored of it: `body` is the part that can be read and searched, `content` the rest. */
export interface StoredContent {
  type: SentType;
  body: string | null;
  content: Partial<Pick<ContentDraft, 'location' | 'contact' | 'poll'>>;
}

/**
 * What a message says, by the one field that says it.
 * @param type the kind the caller expects; undefined where it did not say
 * @throws VALIDATION_FAILED when none or several of the fields are given, or another one than `type` names
 */
export function contentOf(draft: ContentDraft, type: SentType | undefined): StoredContent {
  const given = SENT_TYPES.filter((each) => draft[each] !== undefined);
  const [only] = given;
  if (given.length > 1) throw CommonErrors.invalidField(String(given[1]), `give one of ${SENT_TYPES.join(', ')}`);
  if (type !== undefined && type !== only)
    throw CommonErrors.invalidField(type, `${type} must be given for a message of type ${type}`);
  if (draft.text !== undefined) return { type: 'text', body: draft.text, content: {} };
  if (draft.location) return { type: 'location', body: null, content: { location: draft.location } };
  if (draft.contact) return { type: 'contact', body: null, content: { contact: card(draft.contact) } };
  if (draft.poll) return { type: 'poll', body: draft.poll.name, content: { poll: draft.poll } };
  throw CommonErrors.invalidField('text', `one of ${SENT_TYPES.join(', ')} must be given`);
}

/** A card's number is what a tap on it calls: it must be one that can be called. */
function card(contact: ContactCard): ContactCard {
  const chat = contact.phone_number.includes('@') ? null : chatAddress(contact.phone_number);
  if (chat !== null) return contact;
  throw CommonErrors.invalidField(
    'contact.phone_number',
    'contact.phone_number must be a phone number with country code',
  );
}
