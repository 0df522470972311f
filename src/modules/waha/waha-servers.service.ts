import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { newId } from '../../common/ids';
import { Config } from '../../config/config';
import { SystemDatabase } from '../../platform/database/system-database';
import { WahaClient } from './client/waha-client';
import { WahaMetrics } from './waha.metrics';
import { WahaErrors, WahaFailure } from './waha.errors';

export type { OutgoingContent } from './client/outgoing';

/** The first version in which Core has several sessions and sends media (docs/WAHA.md §0), and in which ids can be reserved (§4). */
const MIN_VERSION = '2026.6.1';
const RESERVED_IDS_SINCE = '2026.4.3';
const ENGINES_WITH_RESERVED_IDS = ['NOWEB', 'GOWS'];

/** A WAHA server that we use: how to reach it and what it can do. */
export interface WahaServer {
  id: string;
  client: WahaClient;
  /** Whether message ids can be reserved before a send. False until the server has said what it is. */
  reservesIds: boolean;
  /** Why no session may be put on it; null when it is fine. */
  refusedFor: string | null;
  /** Whether it has said what it is since this process began. */
  probed: boolean;
}

/** The WAHA servers of this installation; one today, of WAHA_BASE_URL. */
@Injectable()
export class WahaServers implements OnApplicationShutdown {
  private readonly known = new Map<string, WahaServer>();

  constructor(
    private readonly config: Config,
    private readonly system: SystemDatabase,
    private readonly metrics: WahaMetrics,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.known.values()].map(({ client }) => client.close()));
  }

  /** The server that new sessions go to. @throws WAHA_UNAVAILABLE when it is refused. */
  async forNewSession(): Promise<WahaServer> {
    const server = await this.default();
    await this.ensureProbed(server).catch((error: unknown) => {
      throw WahaErrors.unavailable(error);
    });
    if (server.refusedFor !== null) throw WahaErrors.refused(server.refusedFor);
    return server;
  }

  /** The server of that id; the only one there is, until there is a pool. */
  async byId(id: string): Promise<WahaServer> {
    const server = this.known.get(id) ?? (await this.default());
    if (server.id !== id) throw WahaErrors.unavailable();
    return server;
  }

  /** Every server in use. */
  async all(): Promise<WahaServer[]> {
    return [await this.default()];
  }

  /** Makes sure that we know what the server is. @throws WahaFailure when it does not answer. */
  async ensureProbed(server: WahaServer): Promise<void> {
    if (!server.probed) await this.probe(server);
  }

  /** Asks the server what it is and notes the answer. @throws WahaFailure when it does not answer. */
  async probe(server: WahaServer): Promise<void> {
    try {
      const { version, engine } = await server.client.version();
      if (!/^\d+\.\d+/.test(version) || engine === '') throw new WahaFailure('answered', 200, 'this is no WAHA');
      const tooOld = compareVersions(version, MIN_VERSION) < 0;
      server.refusedFor = tooOld ? `WAHA ${version} is older than ${MIN_VERSION}, which knows one session only` : null;
      server.reservesIds =
        ENGINES_WITH_RESERVED_IDS.includes(engine) && compareVersions(version, RESERVED_IDS_SINCE) >= 0;
      server.probed = true;
      await this.note(server.id, [tooOld ? 'refused' : 'up', server.refusedFor, engine, version]);
    } catch (error) {
      await this.note(server.id, ['down', (error as Error).message.slice(0, 300), null, null]);
      throw error;
    }
  }

  private async note(id: string, values: (string | null)[]): Promise<void> {
    await this.system.run('noteServer', [id, ...values]);
  }

  private async default(): Promise<WahaServer> {
    const [first] = this.known.values();
    if (first) return first;
    const { WAHA_BASE_URL: baseUrl = '', WAHA_API_KEY: apiKey = '', WAHA_TIMEOUT_MS: timeoutMs } = this.config;
    const [row] = await this.system.run<{ id: string }>('registerServer', [newId(), baseUrl]);
    if (!row) throw WahaErrors.unavailable();
    const known = this.known.get(row.id);
    if (known) return known; // another caller was faster
    const client = new WahaClient({ baseUrl, apiKey, timeoutMs, observe: (...seen) => this.metrics.called(...seen) });
    const server: WahaServer = { id: row.id, client, reservesIds: false, refusedFor: null, probed: false };
    this.known.set(row.id, server);
    return server;
  }
}

/** Compares versions such as 2026.9 and 2026.6.1 number by number; a missing number counts as 0. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split(/[.-]/).map(Number)) as [number[], number[]];
  for (let i = 0; i < Math.max(left.length, right.length); i += 1) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference) return Math.sign(difference);
  }
  return 0;
}
