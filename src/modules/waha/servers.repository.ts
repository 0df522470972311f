import { Injectable } from '@nestjs/common';
import { type Actor, PLATFORM_TENANT_ID } from '../../common/actor';
import type { PageRequest } from '../../common/paging';
import { type AuditEntry, auditRow } from '../../platform/audit/audit-record';
import { uniqueViolation } from '../../platform/database/database-error';
import { SystemDatabase, type SystemRun } from '../../platform/database/system-database';
import { WahaErrors } from './waha.errors';

/** What people edit of a server. */
export interface ServerSettings {
  name: string;
  base_url: string;
  /** Null: unbounded. */
  capacity: number | null;
  /** Null: it shares its storage with no other. */
  storage_group: string | null;
  state: 'active' | 'draining';
}

/** A server as people see it; its key is not part of it. */
export interface ServerView extends ServerSettings {
  id: string;
  engine: string | null;
  version: string | null;
  status: 'unknown' | 'up' | 'down' | 'refused';
  status_reason: string | null;
  from_config: boolean;
  last_seen_at: Date | null;
  checked_at: Date | null;
  created_at: Date;
  version_no: number;
  /** How many take a place on it. */
  sessions: number;
}

export type LockedServer = ServerSettings & Pick<ServerView, 'id' | 'from_config' | 'version_no'>;

/** A session of a server that is not simply there. */
export interface ServerSession {
  tenant_id: string;
  id: string;
  waha_name: string;
  why: 'needs_scan' | 'leaving';
}

/** A change of a server and its record, which is the platform's. */
export interface RecordedBy {
  actor: Actor;
  entry: AuditEntry;
}

/** Of each kind at most so many are listed. */
const SESSIONS_LISTED = 1_000;

/** WAHA servers as the platform administers them; across tenants, for they belong to none. */
@Injectable()
export class ServersRepository {
  constructor(private readonly system: SystemDatabase) {}

  /** Newest first, one more than asked for. */
  list({ limit, cursor, offset }: PageRequest): Promise<ServerView[]> {
    return this.system.run<ServerView>('serversPage', [cursor ?? null, limit + 1, offset ?? 0]);
  }

  async count(cap: number): Promise<number> {
    const [row] = await this.system.run<{ count: number }>('serversCount', [cap]);
    return row?.count ?? 0;
  }

  /** Null when there is none. */
  async findById(id: string): Promise<ServerView | null> {
    const [row] = await this.system.run<ServerView>('serverView', [id]);
    return row ?? null;
  }

  /** Sessions that need a scan, and those that are on their way from it; by tenant and id, at most 1,000 of each. */
  sessionsOf(id: string): Promise<ServerSession[]> {
    return this.system.run<ServerSession>('serverSessions', [id, SESSIONS_LISTED]);
  }

  /** Stores a new one; nothing happens where one of that id is there. @throws SERVER_TAKEN */
  async insert(
    id: string,
    { sealedKey, ...server }: ServerSettings & { sealedKey: string },
    by: RecordedBy,
  ): Promise<void> {
    const { name, base_url: baseUrl, capacity, storage_group: group } = server;
    const values = [id, name, baseUrl, sealedKey, capacity, group, ...recordOf(by)];
    await orTaken(this.system.run('serverInsert', values));
  }

  /** Work on one server, locked; with the sessions that are placed meanwhile waiting where `alone`. */
  locked<T>(id: string, alone: boolean, work: (run: SystemRun, server: LockedServer) => Promise<T>): Promise<T> {
    return this.system.transaction(async (run) => {
      if (alone) await run('lockPlacement', []);
      const [server] = await run<LockedServer>('serverLock', [id]);
      if (!server) throw WahaErrors.serverNotFound();
      return work(run, server);
    });
  }

  /** Writes what can change of a server that is locked; a key of null stays as it is. @throws SERVER_TAKEN */
  async update(
    run: SystemRun,
    { id, sealedKey, ...server }: ServerSettings & { id: string; sealedKey: string | null },
    by: RecordedBy,
  ): Promise<void> {
    const { name, base_url: baseUrl, capacity, storage_group: group, state } = server;
    await orTaken(run('serverUpdate', [id, name, baseUrl, sealedKey, capacity, group, state, ...recordOf(by)]));
  }

  /** Deletes one that is locked. Sessions that are history hang on another server from now on. Breaks sessions_server_fk. */
  async delete(run: SystemRun, id: string, by: RecordedBy): Promise<void> {
    const [heir] = (await run<{ id: string }>('serversInUse', [])).filter((server) => server.id !== id);
    if (heir) await run('serverForget', [id, heir.id]);
    await run('serverDelete', [id, ...recordOf(by)]);
  }
}

const recordOf = ({ actor, entry }: RecordedBy) => auditRow(PLATFORM_TENANT_ID, actor, entry);

async function orTaken(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    throw uniqueViolation(error) === 'waha_servers_base_url_key' ? WahaErrors.serverTaken() : error;
  }
}
