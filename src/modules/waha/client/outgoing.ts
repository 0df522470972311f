/** What WAHA is asked to send. */
export type OutgoingContent =
  | { type: 'text'; text: string; linkPreview: boolean }
  | { type: 'location'; latitude: number; longitude: number; title: string | null }
  | { type: 'contact'; fullName: string; phoneNumber: string; organization: string | null }
  | { type: 'poll'; name: string; options: string[]; multiple: boolean }
  | OutgoingFile;

interface OutgoingFile {
  type: 'image' | 'file' | 'voice' | 'video';
  /** WAHA fetches the address itself. */
  file: { url: string; mimeType: string; filename: string | null };
  caption: string | null;
}

/** One message on its way out. */
export interface Outgoing {
  chatId: string;
  content: OutgoingContent;
  /** The reserved id (newMessageId); undefined where the engine has none, and of a file, for which WAHA takes none. */
  id: string | undefined;
  /** The serialized id of the message that this one answers; undefined when it answers none. */
  replyTo: string | undefined;
}

const FILES: readonly string[] = ['image', 'file', 'voice', 'video'] satisfies OutgoingFile['type'][];

/**
 * Whether it is sent with a file. WAHA takes no id for those calls, whatever its version, and drops one without a word; and
 * within the call it fetches the file, may convert it, and uploads it to WhatsApp (docs/WAHA.md §4).
 */
export const isFile = (type: string): boolean => FILES.includes(type);

/** The call that sends it: WAHA has one for each kind (docs/WAHA.md §4). */
export function sendCallOf(content: OutgoingContent): { operation: string; path: string; body: object } {
  switch (content.type) {
    case 'text':
      return {
        ...{ operation: 'send_text', path: '/api/sendText' },
        body: { text: content.text, linkPreview: content.linkPreview },
      };
    case 'location': {
      const { latitude, longitude, title } = content;
      return {
        operation: 'send_location',
        path: '/api/sendLocation',
        body: { latitude, longitude, title: title ?? '' },
      };
    }
    case 'contact': {
      const { fullName, phoneNumber, organization } = content;
      const card = { fullName, phoneNumber, ...(organization === null ? {} : { organization }) };
      return { operation: 'send_contact', path: '/api/sendContactVcard', body: { contacts: [card] } };
    }
    case 'poll': {
      const { name, options, multiple } = content;
      const poll = { name, options, multipleAnswers: multiple };
      return { operation: 'send_poll', path: '/api/sendPoll', body: { poll } };
    }
    case 'image':
    case 'file':
    case 'voice':
    case 'video':
      return fileCallOf(content);
  }
}

/** What WhatsApp plays as it is; anything else WAHA converts (ffmpeg) when it is told to. */
const PLAYED = { voice: 'audio/ogg; codecs=opus', video: 'video/mp4' };

function fileCallOf({ type, file: { url, mimeType: mimetype, filename }, caption }: OutgoingFile) {
  const file = { url, mimetype, ...(filename === null ? {} : { filename }) };
  const said = caption === null ? {} : { caption };
  switch (type) {
    case 'image':
      return { operation: 'send_image', path: '/api/sendImage', body: { file, ...said } };
    case 'file':
      return { operation: 'send_file', path: '/api/sendFile', body: { file, ...said } };
    case 'voice':
      return { operation: 'send_voice', path: '/api/sendVoice', body: { file, convert: mimetype !== PLAYED.voice } };
    case 'video':
      return {
        ...{ operation: 'send_video', path: '/api/sendVideo' },
        body: { file, ...said, convert: mimetype !== PLAYED.video },
      };
  }
}
