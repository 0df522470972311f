import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { CommonErrors } from '../../common/common.errors';
import { newId } from '../../common/ids';
import { COUNT_CAP, type Page, type PageRequest, pageOf, totalOf } from '../../common/paging';
import { currentContext } from '../../platform/context/request-context';
import { SecretBox } from '../../platform/crypto/secret-box';
import { foreignKeyViolation } from '../../platform/database/database-error';
import { assertVersion, type ExpectedVersions } from '../../platform/http/etag';
import { WahaFailure } from './client/waha-failure';
import { serverKeyContext } from './server-secret';
import {
  type LockedServer,
  type ServerSession,
  type ServerSettings,
  ServersRepository,
  type ServerView,
} from './servers.repository';
import { WahaErrors } from './waha.errors';
import { WahaServers } from './waha-servers.service';
import { abilitiesOf } from './waha-version';

/** A server that is to be registered. */
export interface ServerDraft extends Omit<ServerSettings, 'state'> {
  api_key: string;
}

/** What is to change of a server; what is undefined stays. */
export type ServerChange = Partial<ServerDraft>;

const FIELDS = ['name', 'base_url', 'capacity', 'storage_group', 'state'] as const;

/** The pool of WAHA servers as the platform administers it. */
@Injectable()
export class ServersService {
  constructor(
    private readonly repository: ServersRepository,
    private readonly servers: WahaServers,
    private readonly secrets: SecretBox,
  ) {}

  /**
   * Asks the server what it is, then registers it. A repeated request finds what its first one made.
   * @throws WAHA_TOO_OLD, WAHA_NOT_RECOGNIZED, WAHA_UNAVAILABLE, SERVER_TAKEN
   */
  async register(actor: Actor, { api_key: apiKey, ...draft }: ServerDraft): Promise<ServerView> {
    const id = currentContext()?.resourceId ?? newId();
    const found = await this.repository.findById(id);
    if (found) return found;
    await this.mustBeWaha(draft.base_url, apiKey);
    const sealedKey = this.secrets.seal(apiKey, serverKeyContext(id));
    const { name, base_url, capacity, storage_group } = draft;
    const metadata = { name, base_url, capacity, storage_group };
    const entry = { action: 'SERVER_CREATED', resource: resourceOf(id), metadata } as const;
    await this.repository.insert(id, { ...draft, state: 'active', sealedKey }, { actor, entry });
    await this.noteIt(id);
    return this.get(id);
  }

  /** @throws NOT_FOUND */
  async get(id: string): Promise<ServerView> {
    const server = await this.repository.findById(id);
    if (!server) throw WahaErrors.serverNotFound();
    return server;
  }

  /** Its sessions that need a scan, or are on their way from it. */
  sessionsOf(id: string): Promise<ServerSession[]> {
    return this.repository.sessionsOf(id);
  }

  /** Newest first. */
  async list(request: PageRequest): Promise<Page<ServerView>> {
    const page = pageOf(await this.repository.list(request), request.limit);
    if (!request.count) return page;
    return { ...page, total: totalOf(await this.repository.count(COUNT_CAP + 1)) };
  }

  /**
   * Changes what is named. Under a new address or key it is asked what it is first; sessions that are there stay.
   * @throws NOT_FOUND, PRECONDITION_FAILED, SERVER_TAKEN, SERVER_IN_USE for address and key of WAHA_BASE_URL, and as `register`
   */
  async update(actor: Actor, id: string, change: ServerChange, expected: ExpectedVersions): Promise<ServerView> {
    const before = await this.get(id);
    assertVersion(expected, before.version_no);
    const { api_key: apiKey, ...settings } = change;
    const reached = apiKey !== undefined || (settings.base_url ?? before.base_url) !== before.base_url;
    if (reached) await this.mayBeReached(before, change);
    const sealedKey = apiKey === undefined ? null : this.secrets.seal(apiKey, serverKeyContext(id));
    await this.repository.locked(id, false, async (run, server) => {
      assertVersion(expected, server.version_no);
      const after = { ...settingsOf(server), ...definedOf(settings) };
      const fields = [...changed(server, after), ...(sealedKey === null ? [] : ['api_key'])];
      if (fields.length === 0) return;
      const entry = { action: 'SERVER_UPDATED', resource: resourceOf(id), metadata: { fields } } as const;
      await this.repository.update(run, { ...after, id, sealedKey }, { actor, entry });
    });
    if (reached) await this.noteIt(id);
    this.servers.changed();
    return this.get(id);
  }

  /** Drained, its sessions move away and no new one comes; active, it is used again. Asking twice is fine. @throws NOT_FOUND */
  async setState(actor: Actor, id: string, state: ServerSettings['state']): Promise<ServerView> {
    await this.repository.locked(id, false, async (run, server) => {
      if (server.state === state) return;
      const metadata = { action: state === 'active' ? 'activate' : 'drain' };
      const entry = { action: 'SERVER_UPDATED', resource: resourceOf(id), metadata } as const;
      await this.repository.update(run, { ...settingsOf(server), state, id, sealedKey: null }, { actor, entry });
    });
    this.servers.changed();
    return this.get(id);
  }

  /** Takes it out of the pool. @throws NOT_FOUND, PRECONDITION_FAILED, SERVER_IN_USE while it has sessions */
  async remove(actor: Actor, id: string, expected: ExpectedVersions): Promise<void> {
    try {
      await this.repository.locked(id, true, async (run, { version_no: version, from_config: own, name }) => {
        assertVersion(expected, version);
        if (own) throw WahaErrors.serverInUse('This is the server of WAHA_BASE_URL');
        const entry = { action: 'SERVER_DELETED', resource: resourceOf(id), metadata: { name } } as const;
        await this.repository.delete(run, id, { actor, entry });
      });
    } catch (error) {
      throw foreignKeyViolation(error) !== null
        ? WahaErrors.serverInUse('The server still has sessions: drain it first')
        : error;
    }
    this.servers.changed();
  }

  /** With its own key where the change names none: that is not known outside. @throws as `register` */
  private async mayBeReached(
    before: ServerView,
    { base_url: baseUrl = before.base_url, api_key: key }: ServerChange,
  ): Promise<void> {
    if (before.from_config)
      throw WahaErrors.serverInUse('Address and key of this server are those of WAHA_BASE_URL and WAHA_API_KEY');
    if (key === undefined)
      throw CommonErrors.invalidField('api_key', 'api_key must be given along with a new base_url');
    await this.mustBeWaha(baseUrl, key);
  }

  private async mustBeWaha(baseUrl: string, apiKey: string): Promise<void> {
    const client = this.servers.clientFor(baseUrl, apiKey);
    try {
      const { refusedFor } = await abilitiesOf(client);
      if (refusedFor !== null) throw WahaErrors.tooOld(refusedFor);
      // The version may be anybody's to read: the key must open what we need.
      await client.listSessions();
    } catch (error) {
      if (!(error instanceof WahaFailure)) throw error;
      const answered = error.kind === 'answered' && error.status < 500 && error.status !== 429;
      throw answered ? WahaErrors.notRecognized(error) : WahaErrors.unavailable(error);
    } finally {
      await client.close();
    }
  }

  /** What it is, is on record at once; if it is away again, the reconciler asks it later. */
  private async noteIt(id: string): Promise<void> {
    this.servers.changed();
    await this.servers.probe(await this.servers.byId(id)).catch((error: unknown) => {
      if (!(error instanceof WahaFailure)) throw error;
    });
  }
}

const resourceOf = (id: string): string => `waha-server:${id}`;

const settingsOf = ({ name, base_url, capacity, storage_group, state }: LockedServer): ServerSettings => ({
  name,
  base_url,
  capacity,
  storage_group,
  state,
});

const definedOf = <T extends object>(change: T): T =>
  Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as T;

const changed = (before: ServerSettings, after: ServerSettings): string[] =>
  FIELDS.filter((field) => !isDeepStrictEqual(before[field], after[field]));
