/** What WAHA is asked to send. */
export type OutgoingContent =
  | { type: 'text'; text: string; linkPreview: boolean }
  | { type: 'location'; latitude: number; longitude: number; title: string | null }
  | { type: 'contact'; fullName: string; phoneNumber: string; organization: string | null }
  | { type: 'poll'; name: string; options: string[]; multiple: boolean };

/** One message on its way out. */
export interface Outgoing {
  chatId: string;
  content: OutgoingContent;
  /** The reserved id (newMessageId); undefined where the engine has none. */
  id: string | undefined;
  /** The serialized id of the message that this one answers; undefined when it answers none. */
  replyTo: string | undefined;
}

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
  }
}
