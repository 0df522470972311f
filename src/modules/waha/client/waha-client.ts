import { Pool } from 'undici';
import {
  answeredAt,
  existingNumber,
  parseAnswer,
  phoneOfHidden,
  sentMessageId,
  sessionInfo,
  wahaMessage,
  type WahaMessage,
  type WahaSessionInfo,
} from './waha-answers';
import { isFile, type Outgoing, sendCallOf } from './outgoing';
import type { Answer, Call, FileAnswer } from './waha-call';
import { or404, reasonOf, transportFailure, WahaFailure } from './waha-failure';
import type { WahaSessionConfig } from './session-config';
import { wholeAnswer } from './whole-answer';

export interface WahaClientOptions {
  baseUrl: string;
  apiKey: string;
  timeoutMs: number;
  /** How long a call may take that sends a file. */
  fileTimeoutMs: number;
  /** Called after each call, for metrics: operation, outcome and seconds. */
  observe?: (operation: string, outcome: string, seconds: number) => void;
}

/** What the server says of itself. */
export interface WahaVersion {
  version: string;
  engine: string;
}

/** A QR code: the picture, or the value that the picture shows. */
export interface QrImage {
  mimetype: string;
  /** Base64. */
  data: string;
}

const MAX_CONNECTIONS = 128;
const MAX_FILES = 32;
const FILES = '/api/files/';
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const part = encodeURIComponent;

/**
 * One WAHA server. Hides engines and versions behind one schema; knows nothing of tenants. Every method throws WahaFailure
 * and nothing else, and none waits longer than its time-out.
 */
export class WahaClient {
  private readonly pool: Pool;
  /** Apart, so that no file takes the connection of a call. */
  private readonly files: Pool;
  private readonly basePath: string;

  constructor(private readonly options: WahaClientOptions) {
    const { origin, pathname } = new URL(options.baseUrl);
    this.basePath = pathname.replace(/\/$/, '');
    // undici's own time-outs tick by the second; ours is one timer over the whole call.
    this.pool = new Pool(origin, {
      connections: MAX_CONNECTIONS,
      connect: { timeout: 3_000 },
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: MAX_ANSWER_BYTES,
    });
    this.files = new Pool(origin, { connections: MAX_FILES, connect: { timeout: 3_000 } });
  }

  /** Ends once the calls under way have. */
  async retire(): Promise<void> {
    await this.pool.close();
  }

  async close(): Promise<void> {
    await Promise.all([this.pool.destroy(), this.files.destroy()]);
  }

  async version(): Promise<WahaVersion> {
    const answer = (await this.call({
      operation: 'version',
      path: '/api/server/version',
    })) as Partial<WahaVersion> | null;
    return { version: String(answer?.version ?? ''), engine: String(answer?.engine ?? '') };
  }

  /** All sessions of the server, stopped ones included. */
  async listSessions(): Promise<WahaSessionInfo[]> {
    const answer = await this.exchange({ operation: 'list_sessions', path: '/api/sessions?all=true' });
    const { body } = answer;
    return (Array.isArray(body) ? body : []).map((each) => sessionInfo(each, answer)).filter((info) => info !== null);
  }

  /** The session; null when the server does not know it. */
  async getSession(name: string): Promise<WahaSessionInfo | null> {
    return or404(this.info({ operation: 'get_session', path: `/api/sessions/${part(name)}` }));
  }

  /**
   * Creates and starts (`start` defaults to false in WAHA's code, so it is always sent). One that exists is left alone: it is not
   * `made` then, and may have another configuration.
   */
  async createSession(
    name: string,
    config: WahaSessionConfig,
  ): Promise<{ info: WahaSessionInfo | null; made: boolean }> {
    const body = { name, start: true, config };
    const call = { operation: 'create_session', method: 'POST', path: '/api/sessions', body } as const;
    try {
      return { info: await this.info(call), made: true };
    } catch (error) {
      if (error instanceof WahaFailure && error.status === 422 && /already exists/i.test(error.reason))
        return { info: await this.getSession(name), made: false };
      throw error;
    }
  }

  /** Replaces its whole configuration; WAHA stops one that runs and starts it again. Answers the state that it is in then. */
  async configureSession(name: string, config: object): Promise<WahaSessionInfo | null> {
    const path = `/api/sessions/${part(name)}`;
    return this.info({ operation: 'configure_session', method: 'PUT', path, body: { config } });
  }

  /** start, stop, restart or logout; answers the state that WAHA is in then, null when it does not say. */
  async act(name: string, action: 'start' | 'stop' | 'restart' | 'logout'): Promise<WahaSessionInfo | null> {
    const path = `/api/sessions/${part(name)}/${action}`;
    return this.info({ operation: action, method: 'POST', path, body: {} });
  }

  /** Logs out and deletes; a session that is not there is fine. */
  async deleteSession(name: string): Promise<void> {
    await this.callOr404({ operation: 'delete_session', method: 'DELETE', path: `/api/sessions/${part(name)}` });
  }

  async qrImage(name: string): Promise<QrImage> {
    const path = `/api/${part(name)}/auth/qr?format=image`;
    const answer = (await this.call({
      operation: 'qr',
      path,
      headers: { accept: 'application/json' },
    })) as Partial<QrImage> | null;
    if (!answer?.data) throw new WahaFailure('answered', 422, 'Session status is not as expected: there is no QR code');
    return { mimetype: answer.mimetype ?? 'image/png', data: answer.data };
  }

  async qrValue(name: string): Promise<string> {
    const answer = await this.call({ operation: 'qr', path: `/api/${part(name)}/auth/qr?format=raw` });
    return (answer as { value?: string } | null)?.value ?? '';
  }

  /** A code to type in on the phone of that number (digits). Hangs in STARTING, until the time-out (docs/WAHA.md §3). */
  async pairingCode(name: string, phoneNumber: string): Promise<string> {
    const path = `/api/${part(name)}/auth/request-code`;
    const answer = await this.call({ operation: 'pairing_code', method: 'POST', path, body: { phoneNumber } });
    const code = (answer as { code?: unknown } | null)?.code;
    if (typeof code !== 'string' || code === '') throw new WahaFailure('answered', 200, 'no code in the answer');
    return code;
  }

  /** A message id that the next send will use: the only handle that makes a repeated send harmless (docs/WAHA.md §4). */
  async newMessageId(name: string): Promise<string> {
    const answer = await this.call({ operation: 'new_message_id', path: `/api/${part(name)}/new-message-id` });
    const id = sentMessageId(answer);
    if (!id) throw new WahaFailure('answered', 200, 'no message id in the answer');
    return id;
  }

  /** Hands a message to WhatsApp; answers its bare id, null when the engine does not tell it. */
  async send(session: string, { chatId, content, id, replyTo }: Outgoing): Promise<string | null> {
    const { operation, path, body } = sendCallOf(content);
    const whole = { session, chatId, ...body, id, reply_to: replyTo }; // what is undefined does not travel
    const { timeoutMs, fileTimeoutMs } = this.options;
    const call = { operation, method: 'POST' as const, path, body: whole };
    return sentMessageId(await this.call({ ...call, timeoutMs: isFile(content.type) ? fileTimeoutMs : timeoutMs }));
  }

  /**
   * The message of that bare id; null when WAHA does not know it. Only where it is asked to WAHA fetches a file and says where it
   * is, and what. Needs the session's store (NOWEB, GOWS).
   */
  async findMessage(session: string, waId: string, { withFile = false } = {}): Promise<WahaMessage | null> {
    const path = `/api/${part(session)}/chats/all/messages/${part(waId)}?downloadMedia=${withFile}`;
    return wahaMessage(await this.callOr404({ operation: 'get_message', path }));
  }

  /** The chat of a number (its chat, however it is spelled) as WhatsApp spells it; null where it is not on WhatsApp, or by hidden id only. */
  async numberOf(session: string, chat: string): Promise<string | null> {
    const path = `/api/contacts/check-exists?phone=${part(chat.replace(/@.*$/, ''))}&session=${part(session)}`;
    return existingNumber(await this.call({ operation: 'check_exists', path }));
  }

  /** The chat of the phone that a hidden id (`@lid`) belongs to; null where WAHA does not know, which is no fault. */
  async phoneOf(session: string, hiddenId: string): Promise<string | null> {
    const path = `/api/${part(session)}/lids/${part(hiddenId)}`;
    return phoneOfHidden(await this.callOr404({ operation: 'get_lid', path }));
  }

  /** Our own messages of a chat from that second on, newest first as WAHA orders them, at most 100. */
  async ownMessagesSince(session: string, chat: string, since: Date): Promise<WahaMessage[]> {
    const from = Math.floor(since.getTime() / 1000);
    const query = `limit=100&downloadMedia=false&filter.fromMe=true&filter.timestamp.gte=${from}`;
    const path = `/api/${part(session)}/chats/${part(chat)}/messages?${query}`;
    const answer = await this.callOr404({ operation: 'list_messages', path });
    return (Array.isArray(answer) ? answer : []).map(wahaMessage).filter((message) => message !== null);
  }

  /**
   * Messages of all chats of that time, its first and last second included, newest first as WAHA orders them, and how many
   * entries the page had, those that cannot be read included. Needs the session's store (NOWEB, GOWS).
   */
  async messagesBetween(
    session: string,
    { from, to }: { from: Date; to: Date },
    { limit, offset }: { limit: number; offset: number },
  ): Promise<{ messages: WahaMessage[]; entries: number }> {
    const [first, last] = [Math.floor(from.getTime() / 1000), Math.ceil(to.getTime() / 1000)];
    const times = `filter.timestamp.gte=${first}&filter.timestamp.lte=${last}`;
    const query = `limit=${limit}&offset=${offset}&downloadMedia=false&${times}`;
    const path = `/api/${part(session)}/chats/all/messages?${query}`;
    const answer = await this.call({ operation: 'list_messages', path });
    const entries = Array.isArray(answer) ? answer : [];
    return { messages: entries.map(wahaMessage).filter((message) => message !== null), entries: entries.length };
  }

  /**
   * The file that an event names, whatever this server answers. It is asked here and nowhere else: of the address only the path
   * counts, and WAHA keeps files under one. The body has to be read or destroyed.
   */
  async file(url: string, signal: AbortSignal): Promise<FileAnswer> {
    const path = URL.parse(url)?.pathname ?? '';
    const from = path.indexOf(FILES);
    if (from < 0) throw new WahaFailure('answered', 404, 'this is no file of WAHA');
    try {
      const response = await this.files.request({
        ...{ method: 'GET', path: this.basePath + path.slice(from), signal },
        headers: { 'x-api-key': this.options.apiKey },
      });
      return { status: response.statusCode, headers: response.headers, body: response.body };
    } catch (error) {
      throw transportFailure(error);
    }
  }

  private async info(call: Call): Promise<WahaSessionInfo | null> {
    const answer = await this.exchange(call);
    return sessionInfo(answer.body, answer);
  }

  private callOr404(call: Call): Promise<unknown> {
    return or404(this.call(call));
  }

  private async call(call: Call): Promise<unknown> {
    return (await this.exchange(call)).body;
  }

  private async exchange(call: Call): Promise<Answer> {
    const begun = performance.now();
    let outcome = 'ok';
    try {
      return await this.request(call);
    } catch (error) {
      const failure = error instanceof WahaFailure ? error : transportFailure(error);
      outcome = failure.kind === 'answered' ? String(failure.status) : failure.kind;
      throw failure;
    } finally {
      this.options.observe?.(call.operation, outcome, (performance.now() - begun) / 1000);
    }
  }

  private async request({
    method = 'GET',
    path,
    body,
    headers,
    timeoutMs = this.options.timeoutMs,
  }: Call): Promise<Answer> {
    const askedMs = performance.now();
    const request = {
      method,
      path: this.basePath + path,
      headers: {
        'x-api-key': this.options.apiKey,
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? null : JSON.stringify(body),
    };
    const { status, headers: told, text } = await wholeAnswer(this.pool, request, timeoutMs);
    const answer = text === '' ? null : parseAnswer(text); // null results are an empty body (docs/WAHA.md §2)
    if (status >= 300) throw new WahaFailure('answered', status, reasonOf(answer));
    return { body: answer, at: answeredAt(told.date, performance.now() - askedMs), askedMs };
  }
}
