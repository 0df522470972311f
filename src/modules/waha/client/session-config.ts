/** The part of a WAHA session's configuration that is ours (docs/WAHA.md §3). */
export interface WahaSessionConfig {
  metadata: Record<string, string>;
  ignore: { status: boolean; groups: boolean; channels: boolean; broadcast: boolean };
  noweb: { markOnline: boolean; store: { enabled: boolean; fullSync: boolean } };
  gows: { storage: Record<string, boolean> };
  webhooks: {
    url: string;
    events: string[];
    hmac: { key: string };
    retries: { policy: 'exponential'; delaySeconds: number; attempts: number };
  }[];
}

/** The events that we act on; `message` comes along with `message.any` and is folded by the message's id. */
const EVENTS = [
  'session.status',
  'message',
  'message.any',
  'message.ack',
  'message.ack.group',
  'message.edited',
  'message.revoked',
  'message.reaction',
];

/**
 * The configuration that every session of ours gets: its store on (without it WAHA can list no messages, and settlement is
 * blind), status, channels and broadcasts ignored, our webhook signed and retried: pauses of 4 s, doubling over 9 tries,
 * bridge half an hour, where WAHA's default gives up after half a minute. Its metadata names no tenant.
 */
export const sessionConfig = (webhookUrl: string, secret: string): WahaSessionConfig => ({
  metadata: { managed_by: 'switchboard' },
  ignore: { status: true, groups: false, channels: true, broadcast: true },
  noweb: { markOnline: false, store: { enabled: true, fullSync: false } },
  gows: { storage: { messages: true, groups: true, chats: true, labels: true, contacts: true, messageSecrets: true } },
  webhooks: [
    {
      url: webhookUrl,
      events: EVENTS,
      hmac: { key: secret },
      retries: { policy: 'exponential', delaySeconds: 2, attempts: 9 },
    },
  ],
});
