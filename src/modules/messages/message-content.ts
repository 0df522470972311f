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

/** A file to be sent. */
export interface MediaDraft {
  /** Where it is fetched from; undefined where `file_id` says which it is. */
  url?: string;
  /** A file that is stored. */
  file_id?: string;
  caption?: string;
  filename?: string;
}

/** The file of a message: where it comes from, and, once it is stored, what it is. */
export interface MessageMedia {
  state: 'pending' | 'stored' | 'failed';
  /** Absent where it is a stored file's, and where it came in. */
  url?: string;
  /** The file that was sent; it may be deleted by now. */
  file_id?: string;
  filename: string | null;
  /** By its bytes; null until it is stored. */
  mime_type: string | null;
  /** Bytes; null until it is stored. */
  size: number | null;
  /** Why one that was received is not there; absent where it is. */
  error_code?: string;
  error?: string;
}

/** What a file can be sent as: nothing but the caller knows which. */
export const MEDIA_TYPES = ['image', 'file', 'voice', 'video'] as const;
export type MediaType = (typeof MEDIA_TYPES)[number];

/** The kinds of messages that are known by the field that holds them. */
const PLAIN_TYPES = ['text', 'location', 'contact', 'poll'] as const;
export const SENT_TYPES = [...PLAIN_TYPES, ...MEDIA_TYPES] as const;
export type SentType = (typeof SENT_TYPES)[number];

const FIELDS = [...PLAIN_TYPES, 'media'] as const;

/** What is sent, in exactly one of its fields. */
export interface ContentDraft {
  text?: string;
  location?: Location;
  contact?: ContactCard;
  poll?: Poll;
  media?: MediaDraft;
}

/** What is stored of it: `body` is the part that can be read and searched, `content` the rest. */
export interface StoredContent {
  type: SentType;
  body: string | null;
  content: Partial<Pick<ContentDraft, 'location' | 'contact' | 'poll'>> & { media?: MessageMedia };
}

/**
 * What a message says, by the one field that says it.
 * @param type the kind the caller expects; undefined where it did not say
 * @throws VALIDATION_FAILED when none or several of the fields are given, or another one than `type` names
 */
export function contentOf(draft: ContentDraft, type: SentType | undefined): StoredContent {
  const given = FIELDS.filter((each) => draft[each] !== undefined);
  const [only] = given;
  if (given.length > 1) throw CommonErrors.invalidField(String(given[1]), `give one of ${FIELDS.join(', ')}`);
  if (draft.media) return mediaContent(draft.media, type);
  const field = isMediaType(type) ? 'media' : type;
  if (field !== undefined && field !== only)
    throw CommonErrors.invalidField(field, `${field} must be given for a message of type ${type}`);
  if (draft.text !== undefined) return { type: 'text', body: draft.text, content: {} };
  if (draft.location) return { type: 'location', body: null, content: { location: draft.location } };
  if (draft.contact) return { type: 'contact', body: null, content: { contact: card(draft.contact) } };
  if (draft.poll) return { type: 'poll', body: draft.poll.name, content: { poll: draft.poll } };
  throw CommonErrors.invalidField('text', `one of ${FIELDS.join(', ')} must be given`);
}

const isMediaType = (type: SentType | undefined): type is MediaType =>
  (MEDIA_TYPES as readonly (SentType | undefined)[]).includes(type);

/** WhatsApp shows no words with a voice. */
function mediaContent(
  { url, file_id, caption, filename = null }: Omit<MediaDraft, 'filename'> & { filename?: string | null },
  type: SentType | undefined,
): StoredContent {
  if ((url === undefined) === (file_id === undefined))
    throw CommonErrors.invalidField(url === undefined ? 'media.url' : 'media.file_id', 'give either url or file_id');
  if (!isMediaType(type))
    throw CommonErrors.invalidField('type', `type must be one of ${MEDIA_TYPES.join(', ')} with media`);
  if (type === 'voice' && caption !== undefined)
    throw CommonErrors.invalidField('media.caption', 'media.caption cannot go with a voice message');
  return {
    type,
    body: caption ?? null,
    content: {
      media: {
        ...{ state: 'pending', ...(url === undefined ? { file_id } : { url }), filename, mime_type: null, size: null },
      },
    },
  };
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
