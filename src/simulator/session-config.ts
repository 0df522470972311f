import { EVENT_NAMES } from './event-names';

/** When a failed webhook call is tried again. */
export interface RetryConfig {
  policy?: 'constant' | 'linear' | 'exponential';
  delaySeconds?: number;
  /** Tries after the first one. */
  attempts?: number;
}

/** One webhook of a session. */
export interface WebhookConfig {
  url: string;
  events: string[];
  hmac?: { key?: string | null } | null;
  retries?: RetryConfig | null;
  customHeaders?: Array<{ name: string; value: string }> | null;
}

/** Which kinds of chats give no events and are not stored. */
interface IgnoreConfig {
  status?: boolean | null;
  groups?: boolean | null;
  channels?: boolean | null;
  broadcast?: boolean | null;
}

/** A session's config as WAHA keeps and echoes it; what the simulator has no use for is kept as it came. */
export interface SessionConfig {
  metadata?: Record<string, string>;
  debug?: boolean;
  proxy?: Record<string, unknown> | null;
  ignore?: IgnoreConfig | null;
  client?: Record<string, unknown> | null;
  noweb?: { markOnline?: boolean; store?: { enabled?: boolean; fullSync?: boolean } | null } | null;
  gows?: { storage?: Record<string, boolean | null> | null } | null;
  webjs?: Record<string, unknown> | null;
  webhooks?: WebhookConfig[];
}

const text = { type: 'string' };
const flag = { type: 'boolean', nullable: true };

function only(properties: Record<string, unknown>, required: string[] = []): Record<string, unknown> {
  // Unknown fields are removed, not refused: WAHA drops them silently outside its strict mode.
  return { type: 'object', nullable: true, additionalProperties: false, required, properties };
}

const webhook = {
  ...only(
    {
      url: { type: 'string', pattern: '^https?://.' },
      events: { type: 'array', items: { enum: ['*', ...EVENT_NAMES] } },
      hmac: only({ key: { type: 'string', nullable: true } }),
      retries: only({
        policy: { enum: ['constant', 'linear', 'exponential'] },
        delaySeconds: { type: 'number', minimum: 0 },
        attempts: { type: 'integer', minimum: 0 },
      }),
      customHeaders: { type: 'array', nullable: true, items: only({ name: text, value: text }, ['name', 'value']) },
    },
    ['url', 'events'],
  ),
  nullable: false,
};

const config = only({
  metadata: { type: 'object', nullable: true, additionalProperties: { type: 'string' } },
  debug: { type: 'boolean', nullable: true },
  proxy: only({ server: text, username: { ...text, nullable: true }, password: { ...text, nullable: true } }),
  ignore: only({ status: flag, groups: flag, channels: flag, broadcast: flag }),
  client: only({ deviceName: text, browserName: text }),
  noweb: only({ markOnline: flag, store: only({ enabled: flag, fullSync: flag }) }),
  gows: only({
    storage: only({ messages: flag, groups: flag, chats: flag, labels: flag, contacts: flag, messageSecrets: flag }),
  }),
  webjs: only({ tagsEventsOn: flag }),
  webhooks: { type: 'array', nullable: true, items: webhook },
});

/** JSON schema of `POST /api/sessions`. */
export const CREATE_SESSION_BODY = {
  type: 'object',
  properties: {
    name: { type: 'string', nullable: true, maxLength: 54, pattern: '^[a-zA-Z0-9_-]*$' },
    start: { type: 'boolean', nullable: true },
    config,
  },
};

/** JSON schema of `PUT /api/sessions/{session}`. */
export const UPDATE_SESSION_BODY = { type: 'object', properties: { config } };

/** Whether the config tells WAHA to drop what happens in this chat, events and storage both. */
export function ignoresChat(sessionConfig: SessionConfig | null, chatId: string): boolean {
  const ignore = sessionConfig?.ignore;
  if (ignore === undefined || ignore === null) return false;
  if (chatId === 'status@broadcast') return ignore.status === true;
  if (chatId.endsWith('@broadcast')) return ignore.broadcast === true;
  if (chatId.endsWith('@newsletter')) return ignore.channels === true;
  return chatId.endsWith('@g.us') && ignore.groups === true;
}
