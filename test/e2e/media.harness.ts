import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Origin, startOrigin } from '../support/origin';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { startWahaProxy, type WahaProxy } from '../support/waha-proxy';
import { type Send, send, sendsOf, type WireMessage, type WireSession, workingSession } from '../support/whatsapp';

/** The smallest picture that is one. */
export const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
/** The beginnings of a voice message and of a film. */
export const OGG = Buffer.concat([
  Buffer.from('4f67675300020000000000000000000000000000000000000000011e', 'hex'),
  Buffer.from('OpusHead'),
  Buffer.alloc(64),
]);
export const MP4 = Buffer.concat([
  Buffer.from('00000018667479706d703432000000006d70343269736f6d', 'hex'),
  Buffer.alloc(64),
]);
export const MAX_BYTES = 200_000;
export const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** An application that may fetch from this machine, with somebody's web server and a working session. */
export interface MediaWorld {
  app: TestApp;
  admin: LoggedIn;
  session: WireSession;
  origin: Origin;
  proxy: WahaProxy;
  /** Where it keeps files. */
  folder: string;
  /** Sends a file to a chat of its own, as the tenant's administrator. */
  sendMedia(type: string, media: object, more?: object): Promise<WireMessage>;
  /** What reached the chat of that message, in order. */
  arrivedAt(message: WireMessage): Promise<Send[]>;
  /** The names of the tenant's objects. */
  stored(): Promise<string[]>;
  mediaRow(id: string): Promise<Record<string, unknown> | undefined>;
  /** Makes the file due now, whoever has it. */
  dueNow(id: string): Promise<unknown>;
  /** The bodies of WAHA's calls under that path. */
  callsTo(path: string): Record<string, unknown>[];
  close(): Promise<void>;
}

let nobody = 5511777700000;
/** A chat that no other test writes to. */
export const newChat = (): string => `${(nobody += 1)}@c.us`;

/** An answer that waits until it is let go. */
export function gate(): { opened: Promise<void>; open: () => void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}

export async function startMediaWorld(more: Record<string, string> = {}): Promise<MediaWorld> {
  const folder = await mkdtemp(path.join(tmpdir(), 'media-'));
  const origin = await startOrigin();
  const proxy = await startWahaProxy();
  const own = { EGRESS_ALLOWED_CIDRS: '127.0.0.1', STORAGE_PATH: folder, MAX_UPLOAD_BYTES: String(MAX_BYTES) };
  const app = await startTestApp({ config: { ...own, WAHA_BASE_URL: proxy.url, ...more } });
  proxy.leadTo(app.simulator.baseUrl);
  const admin = await app.login('TENANT_ADMIN');
  const session = await workingSession(app, admin.http);
  return {
    ...{ app, admin, session, origin, proxy, folder },
    sendMedia: (type, media, more = {}) =>
      send(admin.http, { session_id: session.id, to: newChat(), type, media, ...more }),
    arrivedAt: async ({ chat }) => (await sendsOf(app, session)).filter(({ chatId }) => chatId === chat),
    stored: () => readdir(path.join(folder, app.tenantId)).catch(() => []),
    mediaRow: async (id) => {
      const text = 'select * from message_media where message_id = $1';
      return (await app.owner.query<Record<string, unknown>>(text, [id])).rows[0];
    },
    dueNow: (id) =>
      app.owner.query('update message_media set due_at = now() where message_id = $1 and due_at is not null', [id]),
    callsTo: (call) =>
      proxy.calls.filter((each) => each.path === call).map(({ body }) => JSON.parse(body) as Record<string, unknown>),
    close: async () => {
      await app.close();
      await proxy.close();
      await origin.close();
      await rm(folder, { recursive: true });
    },
  };
}
