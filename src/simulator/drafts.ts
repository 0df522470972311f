import { request, type Dispatcher } from 'undici';
import { parseMessageId, toChatId } from './chat-ids';
import type { MessageMedia, MessageType } from './message';
import type { Draft } from './whatsapp';

/** A JSON body that nobody has checked: WAHA does not validate its sends either. */
export type UncheckedBody = Record<string, unknown>;

/**
 * Builds what is to be sent from the body of a send, files by url fetched through the dispatcher. Throws the TypeError
 * that WAHA's own code would, and an Error for a file that cannot be fetched.
 */
export type DraftBuilder = (body: UncheckedBody, dispatcher: Dispatcher) => Draft | Promise<Draft>;

/** The kinds of sends by their path. */
export const DRAFT_BUILDERS: Readonly<Record<string, DraftBuilder>> = {
  '/api/sendText': (body) => ({ ...named(body, 'text'), body: needText(body, 'text') }),
  '/api/sendImage': mediaDraft('image'),
  '/api/sendFile': mediaDraft('file'),
  '/api/sendVoice': mediaDraft('voice'),
  '/api/sendVideo': mediaDraft('video'),
  '/api/sendLocation': (body) => ({
    ...named(body, 'location'),
    body: '',
    location: {
      latitude: Number(body.latitude),
      longitude: Number(body.longitude),
      title: optionalText(body.title) ?? null,
    },
  }),
  '/api/sendContactVcard': (body) => {
    const contacts = needArray(body, 'contacts');
    return { ...named(body, 'contact'), body: '', vCards: contacts.map(vCard) };
  },
  '/api/sendPoll': (body) => {
    const poll = needObject(body, 'poll');
    return {
      ...named(body, 'poll'),
      body: needText(poll, 'name'),
      pollOptions: needArray(poll, 'options').map(String),
    };
  },
};

/** A reaction; its chat is in the full id of the message reacted to. */
export function reactionDraft(body: UncheckedBody): Draft {
  const target = parseMessageId(needText(body, 'messageId'));
  if (target.chatId === null) throw new TypeError("Cannot read properties of undefined (reading 'remoteJid')");
  return { type: 'reaction', chatId: target.chatId, body: needText(body, 'reaction'), targetId: target.bareId };
}

/** Of the sends that take an id of the caller's. WAHA's for files have no such field, and it drops what it does not know. */
function named(body: UncheckedBody, type: MessageType): Omit<Draft, 'body'> {
  const id = optionalText(body.id);
  return { ...start(body, type), ...(id === undefined ? {} : { id }) };
}

function start(body: UncheckedBody, type: MessageType): Omit<Draft, 'body'> {
  const quoted = optionalText(body.reply_to);
  return {
    type,
    chatId: toChatId(needText(body, 'chatId')),
    ...(quoted === undefined ? {} : { targetId: parseMessageId(quoted).bareId }),
  };
}

function mediaDraft(type: MessageType): DraftBuilder {
  return async (body, dispatcher) => {
    const draft = { ...start(body, type), body: optionalText(body.caption) ?? '' };
    return { ...draft, media: await loadMedia(needObject(body, 'file'), dispatcher) };
  };
}

async function loadMedia(file: UncheckedBody, dispatcher: Dispatcher): Promise<MessageMedia> {
  const mimetype = optionalText(file.mimetype) ?? 'application/octet-stream';
  const filename = optionalText(file.filename) ?? null;
  const url = optionalText(file.url);
  if (url === undefined) return { mimetype, filename, bytes: Buffer.from(needText(file, 'data'), 'base64') };
  const response = await request(url, { dispatcher });
  const bytes = Buffer.from(await response.body.arrayBuffer());
  if (response.statusCode !== 200) throw new Error(`Request failed with status code ${response.statusCode}`);
  return { mimetype, filename, bytes };
}

function vCard(contact: unknown): string {
  const fields = (contact ?? {}) as UncheckedBody;
  const given = optionalText(fields.vcard);
  if (given !== undefined) return given;
  const phone = optionalText(fields.phoneNumber) ?? '';
  const name = optionalText(fields.fullName) ?? '';
  const organization = optionalText(fields.organization) ?? '';
  const telephone = `TEL;type=CELL;type=VOICE;waid=${phone.replace(/\D/g, '')}:${phone}`;
  return ['BEGIN:VCARD', 'VERSION:3.0', `FN:${name}`, `ORG:${organization};`, telephone, 'END:VCARD'].join('\n');
}

function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function needText(body: UncheckedBody, field: string): string {
  const value = body[field];
  if (typeof value !== 'string') throw new TypeError(`Cannot read properties of undefined (reading '${field}')`);
  return value;
}

function needObject(body: UncheckedBody, field: string): UncheckedBody {
  const value = body[field];
  if (typeof value !== 'object' || value === null) {
    throw new TypeError(`Cannot read properties of undefined (reading '${field}')`);
  }
  return value as UncheckedBody;
}

function needArray(body: UncheckedBody, field: string): unknown[] {
  const value = body[field];
  if (!Array.isArray(value)) throw new TypeError(`Cannot read properties of undefined (reading '${field}')`);
  return value;
}
