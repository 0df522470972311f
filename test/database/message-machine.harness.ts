import type { Client } from 'pg';
import type { Actor } from '../../src/common/actor';
import { newId } from '../../src/common/ids';
import { Config } from '../../src/config/config';
import { CampaignsRepository } from '../../src/modules/campaigns/campaigns.repository';
import { ACCEPT } from '../../src/modules/messages/acceptance';
import { BulkAcceptor } from '../../src/modules/messages/bulk-acceptor.service';
import { ChatAliases } from '../../src/modules/messages/chats/chat-aliases.service';
import { ChatAliasesRepository } from '../../src/modules/messages/chats/chat-aliases.repository';
import type { LaneJob, UnsettledAttempt } from '../../src/modules/messages/lanes/lane-job';
import { LaneStore } from '../../src/modules/messages/lanes/lane-store.service';
import { MessageActionsRepository } from '../../src/modules/messages/message-actions.repository';
import { MessageChangesRepository } from '../../src/modules/messages/message-changes.repository';
import { MessageChanges } from '../../src/modules/messages/message-changes.service';
import { MessageMetrics } from '../../src/modules/messages/message.metrics';
import { type Applied, MessageUpdates } from '../../src/modules/messages/message-updates.service';
import { SessionStates } from '../../src/modules/waha/session-states.service';
import { SessionsRepository } from '../../src/modules/waha/sessions.repository';
import { AuditLog } from '../../src/platform/audit/audit-log';
import type { TenantTransaction } from '../../src/platform/database/tenant-database';
import type { OutgoingMedia } from '../../src/modules/messages/media/outgoing-media.service';
import type { Wakeups } from '../../src/platform/database/wakeups';
import type { TenantDirectory } from '../../src/platform/http/tenant-directory';
import { Metrics } from '../../src/platform/metrics/metrics';
import type { TestDatabase } from '../support/database';
import { Factories, type TestSession } from '../support/factories';
import { InjectedTime } from '../support/injected-time';
import { type Doors, openDoors } from './database.harness';

const START = Date.parse('2031-05-05T06:00:00Z');

/** A worker process, as far as the database knows one: an id whose lock it holds. */
interface Worker {
  id: string;
  store: LaneStore;
}

/** A message in a worker's hand. */
export interface Held {
  worker: Worker;
  job: LaneJob;
  /** Of the attempt; null before it is on record, and where that was refused. */
  attempt: number | null;
  asked: boolean;
  /** What WhatsApp calls it, if it gets there. */
  waId: string;
}

/** An outcome that is being asked for. */
export interface Asked {
  worker: Worker;
  attempt: UnsettledAttempt;
}

/** How the session of one run is made. */
export interface Terms {
  /** Whether its engine reserves ids. */
  reserves: boolean;
  dailyCap: number;
  firsts: number;
}

const NIL = '00000000-0000-0000-0000-000000000000';

/** The database and the service's own statements, shared by all runs: each run has a tenant of its own. */
export class Machine {
  private constructor(
    readonly owner: Client,
    readonly doors: Doors,
    readonly time: InjectedTime,
    private readonly link: Client,
  ) {}

  static async over(db: TestDatabase): Promise<Machine> {
    const owner = await db.owner();
    const time = await InjectedTime.in(db, owner, new Date(START));
    return new Machine(owner, await openDoors(db, 4), time, await db.owner());
  }

  async close(): Promise<void> {
    await this.doors.close();
    await this.link.end();
    await this.owner.end();
  }

  /** A session in a tenant of its own. */
  async world(terms: Terms): Promise<World> {
    const make = new Factories(this.owner);
    const session = await make.session(await make.tenant(), { lane: 'open' });
    await this.time.set(new Date(START));
    await this.owner.query(
      `update lanes set daily_cap = $2, first_contacts_per_day = $3, pace_at = $4, tokens_at = $4 where session_id = $1`,
      [session.id, terms.dailyCap, terms.firsts, new Date(START)],
    );
    await this.owner.query(`update sessions set status_at = $2 where id = $1`, [session.id, new Date(START - 1)]);
    return new World(this, session, terms);
  }

  /** A worker that is alive until it is killed. */
  async worker(): Promise<Worker> {
    const id = newId();
    await this.link.query('select pg_advisory_lock(hashtextextended($1, 0))', [id]);
    const wakeups = { workerId: id, wake: () => undefined };
    return { id, store: new LaneStore(this.doors.system, wakeups as never) };
  }

  async kill({ id }: Worker): Promise<void> {
    await this.link.query('select pg_advisory_unlock(hashtextextended($1, 0))', [id]);
  }
}

/** One session and everybody who acts on its messages. What they hold survives their death: a frozen worker comes back. */
export class World {
  now = START;
  readonly workers = new Map<number, Worker>();
  readonly held: Held[] = [];
  readonly asked: Asked[] = [];
  readonly campaigns: string[] = [];
  readonly actor: Actor;
  readonly states: SessionStates;
  readonly sessions: SessionsRepository;
  readonly aliases: ChatAliases;
  readonly updates: MessageUpdates;
  readonly changes: MessageChanges;
  readonly actions: MessageActionsRepository;
  readonly campaignsOf: CampaignsRepository;
  readonly audit: AuditLog;
  private readonly bulk: BulkAcceptor;

  constructor(
    readonly machine: Machine,
    readonly session: TestSession,
    readonly terms: Terms,
  ) {
    const { tenant, batch } = machine.doors;
    const unlimited = { limitsOf: async () => ({ messages_per_day: null, sessions: null }) };
    const tenants = unlimited as unknown as TenantDirectory;
    const metrics = new MessageMetrics(new Metrics());
    this.audit = new AuditLog(batch, new Metrics(), {} as Config);
    this.actor = { kind: 'user', id: newId(), tenantId: session.tenantId } as unknown as Actor;
    this.sessions = new SessionsRepository(tenant, tenants, new Config());
    this.states = new SessionStates(this.sessions, {} as Wakeups);
    this.aliases = new ChatAliases(new ChatAliasesRepository(tenant));
    this.updates = new MessageUpdates(this.states, metrics, tenant, this.aliases, new Config());
    this.changes = new MessageChanges(new MessageChangesRepository(), this.updates);
    this.actions = new MessageActionsRepository(tenant);
    this.campaignsOf = new CampaignsRepository(tenant, this.audit);
    this.bulk = new BulkAcceptor(tenant, tenants, metrics, {} as OutgoingMedia);
  }

  get tenantId(): string {
    return this.session.tenantId;
  }

  get key(): { tenantId: string; sessionId: string } {
    return { tenantId: this.session.tenantId, sessionId: this.session.id };
  }

  async advance(ms: number): Promise<void> {
    this.now += ms;
    await this.machine.time.set(new Date(this.now));
  }

  /** Takes messages to that chat into the queue, as the service does. */
  async accept(chat: string, body: string, times: { scheduledInMs?: number; expiresInMs?: number }): Promise<void> {
    const at = (ms: number | undefined): Date | null => (ms === undefined ? null : new Date(this.now + ms));
    const row = [this.tenantId, newId(), this.session.id, chat, body, '{}', '{}', this.actor.id, 'text'];
    const columns = [...row, at(times.scheduledInMs), at(times.expiresInMs)].map((value) => [value]);
    await this.machine.doors.batch.query([this.tenantId], ACCEPT, columns);
  }

  async startCampaign(chats: string[], perMinute: number | null): Promise<void> {
    const [campaignId, intake] = [newId(), newId()];
    const terms = { name: null, type: 'text', templateId: null, content: {}, metadata: {} };
    const sessionIds = [this.session.id];
    const campaign = { ...terms, id: campaignId, sessionIds, perMinute, scheduledAt: null, expiresAt: null };
    await this.campaignsOf.begin(this.actor, campaign, intake);
    const order = { ...this.key, campaignId, intake, sessionIds, type: 'text' as const, content: {}, metadata: {} };
    const rows = chats.map((chat) => ({ chat, body: 'to many' }));
    await this.bulk.store({ ...order, createdBy: this.actor.id, expiresAt: null }, rows, 0);
    await this.campaignsOf.complete(this.actor, { id: campaignId, intake }, { valid: chats.length, rejected: 0 });
    this.campaigns.push(campaignId);
  }

  /** A worker of that place; born when it is first asked for, and again after its death. */
  async worker(place: number): Promise<Worker> {
    const worker = this.workers.get(place) ?? (await this.machine.worker());
    this.workers.set(place, worker);
    return worker;
  }

  /** It holds what it held, and its lock is free. */
  async kill(place: number): Promise<void> {
    const dead = this.workers.get(place);
    if (!dead) return;
    this.workers.delete(place);
    await this.machine.kill(dead);
  }

  async claim(place: number): Promise<LaneJob[]> {
    const worker = await this.worker(place);
    const { jobs } = await worker.store.claim(10);
    for (const job of jobs)
      this.held.push({ worker, job, attempt: null, asked: false, waId: job.wa_id ?? `3EB0${newId()}` });
    return jobs;
  }

  async record(held: Held): Promise<void> {
    held.asked = true;
    const reserved = this.terms.reserves || held.job.wa_id !== null ? held.waId : null;
    held.attempt = await held.worker.store.recordAttempt(held.job, reserved);
  }

  async take(place: number): Promise<void> {
    const worker = await this.worker(place);
    for (const attempt of await worker.store.takeUnsettled([[], [], 10], 25_000)) this.asked.push({ worker, attempt });
  }

  /** What an event does: its transaction, and what follows it. */
  async apply(work: (tx: TenantTransaction) => Promise<Applied>): Promise<Applied> {
    const applied = await this.machine.doors.tenant.transaction(this.tenantId, work);
    await this.updates.release(this.key, [applied]);
    return applied;
  }

  /** That both are ids of one person, and what that lets go. */
  async learn(alias: string, chat: string): Promise<void> {
    const told = { alias, chat, at: new Date(this.now), named: true };
    const learnt = await this.aliases.learnAlone(this.key, [told]);
    await this.updates.release(
      this.key,
      learnt.map((heard) => ({ result: 'applied', heard })),
    );
  }

  async state(status: string): Promise<void> {
    const state = { status, at: new Date(this.now), phone: null, pushName: null, from: 'answer' as const };
    await this.machine.doors.tenant.transaction(this.tenantId, (tx) => this.states.apply(tx, this.key, state));
  }

  /** WAHA refuses nothing any more, and the session works. */
  async acceptAndWork(): Promise<void> {
    const { tenant, system } = this.machine.doors;
    const text = 'select server_id from sessions where tenant_id = $1';
    const [session] = await tenant.query<{ server_id: string }>(this.tenantId, text, [this.tenantId]);
    await system.run('acceptRefused', [session?.server_id, 0, 0]);
    await this.state('WORKING');
  }

  /** One round of everything that goes by the clock. */
  async tick(): Promise<void> {
    const { system } = this.machine.doors;
    for (const statement of ['expireOverdue', 'queueScheduled', 'stallUnacked'] as const)
      await system.run(statement, [500]);
    for (const statement of ['startCampaigns', 'cancelRest'] as const) await system.run(statement, [500]);
    await system.transaction(async (run) => {
      const held = await run<{ tenant_id: string; id: string }>('lockRunningCampaigns', [500, NIL]);
      const columns = [held.map(({ tenant_id }) => tenant_id), held.map(({ id }) => id)];
      if (held.length > 0) await run('finishCampaigns', columns);
    });
    await system.run('campaignsCleared', []);
  }

  /** Nothing of it is left for the next run. */
  async end(): Promise<void> {
    for (const place of [...this.workers.keys()]) await this.kill(place);
    for (const table of ['messages', 'campaigns', 'sessions'])
      await this.machine.owner.query(`delete from ${table} where tenant_id = $1`, [this.tenantId]);
  }
}
