import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { newId } from '../../common/ids';
import { Config } from '../../config/config';
import { SecretBox } from '../../platform/crypto/secret-box';
import { SystemDatabase } from '../../platform/database/system-database';
import { WahaClient } from './client/waha-client';
import { serverKeyContext } from './server-secret';
import type { WahaSessionInfo } from './client/waha-answers';
import { WahaErrors, WahaFailure } from './waha.errors';
import { WahaMetrics } from './waha.metrics';
import { abilitiesOf } from './waha-version';

export { isFile, type OutgoingContent } from './client/outgoing';

/** A WAHA server that we use: how to reach it and what it can do. */
export interface WahaServer {
  id: string;
  client: WahaClient;
  /** Whether sessions may be put on it, or are to leave it. */
  state: 'active' | 'draining';
  /** What whoever asked it last has learnt, in whichever process: `up`, `down` (no answer), `refused` or `unknown`. */
  status: string;
  /** Whether message ids can be reserved before a send. False until the server has said what it is. */
  reservesIds: boolean;
  /** Why no session may be put on it; null when it is fine. */
  refusedFor: string | null;
  /** Whether it has said what it is since this process began. */
  probed: boolean;
}

interface ServerRow extends Pick<WahaServer, 'id' | 'state' | 'status'> {
  base_url: string;
  /** Sealed; null where the configuration's holds. */
  api_key: string | null;
}

interface Known {
  server: WahaServer;
  /** What its client was made of. */
  row: ServerRow;
}

/** So soon every process knows of a server that was added, changed or removed in another. */
const KNOWN_FOR_MS = 5_000;

/** The pool of WAHA servers as this process reaches them: that of WAHA_BASE_URL, and those that were registered. */
@Injectable()
export class WahaServers implements OnApplicationShutdown {
  private readonly logger = new Logger(WahaServers.name);
  private known = new Map<string, Known>();
  private loadedAt = -Infinity;
  private loading: Promise<void> | undefined;
  private registered = false;

  constructor(
    private readonly config: Config,
    private readonly system: SystemDatabase,
    private readonly secrets: SecretBox,
    private readonly metrics: WahaMetrics,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.known.values()].map(({ server }) => server.client.close()));
  }

  /** The server of that id. @throws WAHA_UNAVAILABLE when there is none */
  async byId(id: string): Promise<WahaServer> {
    if (!this.isFresh()) {
      // What is known serves on while the database is away.
      await this.load().catch((error: unknown) => {
        if (!this.known.has(id)) throw error;
      });
    } else if (!this.known.has(id)) await this.load();
    const known = this.known.get(id);
    if (!known) throw WahaErrors.unavailable();
    return known.server;
  }

  /** Every server in use, as the database has it now. */
  async all(): Promise<WahaServer[]> {
    await this.load();
    return [...this.known.values()].map(({ server }) => server);
  }

  /** A client of a server that is not registered yet. The caller closes it. */
  clientFor(baseUrl: string, apiKey: string): WahaClient {
    const { WAHA_TIMEOUT_MS: timeoutMs, WAHA_FILE_TIMEOUT_MS: fileTimeoutMs } = this.config;
    const observe = this.metrics.called.bind(this.metrics);
    return new WahaClient({ baseUrl, apiKey, timeoutMs, fileTimeoutMs, observe });
  }

  /** Something was changed here: the next look is a new one. */
  changed(): void {
    this.loadedAt = -Infinity;
  }

  /** Makes sure that we know what the server is. @throws WahaFailure when it does not answer. */
  async ensureProbed(server: WahaServer): Promise<void> {
    if (!server.probed) await this.probe(server);
  }

  /** Asks the server what it is and notes the answer. @throws WahaFailure when it does not answer. */
  async probe(server: WahaServer): Promise<void> {
    const { version, engine, refusedFor, reservesIds } = await this.asking(server, abilitiesOf(server.client));
    Object.assign(server, { refusedFor, reservesIds, probed: true });
    await this.note(server, refusedFor === null ? 'up' : 'refused', [refusedFor, engine, version]);
  }

  /** The sessions that it has. @throws WahaFailure, which is noted as what became of asking the server */
  sessionsOn(server: WahaServer): Promise<WahaSessionInfo[]> {
    return this.asking(server, server.client.listSessions());
  }

  /**
   * What the call answers. A failure is noted of the server: it is `down` where no answer came, and may come to count as dead. One
   * that answers is there and may drive its sessions, whatever it says: it is `refused`, and never dead.
   */
  private async asking<T>(server: WahaServer, call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      const answered = error instanceof WahaFailure && error.kind === 'answered';
      await this.note(server, answered ? 'refused' : 'down', [(error as Error).message.slice(0, 300), null, null]);
      throw error;
    }
  }

  private async note(server: WahaServer, status: string, values: (string | null)[]): Promise<void> {
    server.status = status;
    await this.system.run('noteServer', [server.id, status, ...values]);
  }

  private isFresh(): boolean {
    return performance.now() - this.loadedAt < KNOWN_FOR_MS;
  }

  /** Reads all servers; who asks meanwhile waits for the same answer. */
  private load(): Promise<void> {
    this.loading ??= this.read().finally(() => {
      this.loading = undefined;
    });
    return this.loading;
  }

  private async read(): Promise<void> {
    const { WAHA_BASE_URL: baseUrl } = this.config;
    if (!this.registered && baseUrl) await this.system.run('registerServer', [newId(), baseUrl]);
    this.registered = true;
    const begun = performance.now();
    const rows = await this.system.run<ServerRow>('serversInUse');
    const before = this.known;
    this.known = new Map(rows.flatMap((row) => this.enter(row, before.get(row.id))));
    for (const [id, { server }] of before) if (this.known.get(id)?.server.client !== server.client) retire(server);
    this.loadedAt = begun;
  }

  /** One whose key cannot be opened is left out, so that it holds up no other. */
  private enter(row: ServerRow, before: Known | undefined): [string, Known][] {
    const { id, state, status, base_url: baseUrl } = row;
    if (before?.row.base_url === baseUrl && before.row.api_key === row.api_key) {
      Object.assign(before.server, { state, status });
      return [[id, { ...before, row }]];
    }
    try {
      const client = this.clientFor(baseUrl, this.keyOf(row));
      const server = { id, client, state, status, reservesIds: false, refusedFor: null, probed: false };
      return [[id, { server, row }]];
    } catch (error) {
      this.logger.error({ msg: 'a WAHA server cannot be used', server_id: id, err: error });
      return [];
    }
  }

  private keyOf({ id, api_key: sealed }: ServerRow): string {
    return sealed === null ? (this.config.WAHA_API_KEY ?? '') : this.secrets.open(sealed, serverKeyContext(id));
  }
}

/** Calls under way end first. */
const retire = ({ client }: WahaServer): void => void client.retire().catch(() => undefined);
