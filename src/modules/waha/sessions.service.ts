import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { newId } from '../../common/ids';
import type { Pace, QuietHours } from '../../common/pace';
import { COUNT_CAP, type Page, type PageRequest, pageOf, totalOf } from '../../common/paging';
import type { AuditAction } from '../../platform/audit/audit-actions';
import { AuditLog } from '../../platform/audit/audit-log';
import type { AuditEntry } from '../../platform/audit/audit-record';
import { currentContext } from '../../platform/context/request-context';
import { SecretBox } from '../../platform/crypto/secret-box';
import { uniqueViolation } from '../../platform/database/database-error';
import { WahaFailure } from './client/waha-failure';
import { Placement } from './placement.service';
import { SessionProvisioner } from './session-provisioner.service';
import { SessionRelocation } from './session-relocation.service';
import { secretContext } from './session-secret';
import { type NewSession, type Recording, type SessionRow, SessionsRepository } from './sessions.repository';
import { toApiError, WahaErrors } from './waha.errors';

/** A new session as its maker describes it. */
export interface SessionDraft {
  name: string;
  pace: Pace;
  quietHours: QuietHours | null;
  metadata: Record<string, unknown>;
}

export type SessionAction = 'start' | 'stop' | 'restart' | 'logout';

/** WhatsApp numbers of a tenant. What should be is written first, then WAHA is asked; the reconciler mends the rest. */
@Injectable()
export class SessionsService {
  constructor(
    private readonly sessions: SessionsRepository,
    private readonly provisioner: SessionProvisioner,
    private readonly placement: Placement,
    private readonly relocation: SessionRelocation,
    private readonly secrets: SecretBox,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Creates the session and starts it in WAHA. With an idempotency key a repeated call finds the first one's session.
   * @throws SESSION_NAME_TAKEN, PLAN_LIMIT_REACHED, WAHA_POOL_FULL, WAHA_UNAVAILABLE (nothing is left behind then, here or in WAHA)
   */
  async create(actor: Actor, draft: SessionDraft): Promise<SessionRow> {
    await this.placement.prepare();
    // A repeated request finds its first one's session, unless that came to nothing: then it makes another.
    const repeated = currentContext()?.resourceId;
    const id = repeated && (await this.insert(actor, repeated, draft)) ? repeated : newId();
    if (id !== repeated) await this.insert(actor, id, draft);
    await this.provisionOrForget(actor, id);
    return this.get(actor, id);
  }

  /** @throws NOT_FOUND */
  async get(actor: Actor, id: string): Promise<SessionRow> {
    const session = await this.sessions.findById(actor.tenantId, id);
    if (!session) throw WahaErrors.sessionNotFound();
    return session;
  }

  /** Newest first. */
  async list(actor: Actor, request: PageRequest): Promise<Page<SessionRow>> {
    const page = pageOf(await this.sessions.list(actor.tenantId, request), request.limit);
    if (!request.count) return page;
    return { ...page, total: totalOf(await this.sessions.count(actor.tenantId, COUNT_CAP + 1)) };
  }

  /**
   * start, stop, restart or logout; asking twice is fine. Logging out one that needs a scan brings it to another server.
   * @throws WAHA_UNAVAILABLE: what should be is noted all the same; SESSION_NOT_READY for logging out one that is moving
   */
  async act(actor: Actor, id: string, action: SessionAction): Promise<SessionRow> {
    const session = await this.get(actor, id);
    if (action === 'logout') await this.logOut(actor, session);
    else {
      const record = this.recordOf(actor, id, 'SESSION_UPDATED', { action });
      await this.sessions.setDesired(actor.tenantId, id, action === 'stop' ? 'stopped' : 'running', record);
      // One that is moving is started or left alone where it arrives.
      if (session.leaving_server_id !== null) return this.get(actor, id);
      // Start does nothing in FAILED, restart is what brings such a session back (docs/WAHA.md §3).
      const effective = action === 'start' && session.status === 'FAILED' ? 'restart' : action;
      await this.inWaha(session, () => this.provisioner.act({ ...session, tenant_id: actor.tenantId }, effective));
    }
    return this.get(actor, id);
  }

  /** Deletes it here at once; in WAHA now or, if WAHA is away, when the reconciler next gets through. */
  async delete(actor: Actor, id: string): Promise<void> {
    const session = await this.get(actor, id);
    await this.sessions.markDeleted(actor.tenantId, id, this.recordOf(actor, id, 'SESSION_DELETED'));
    this.provisioner.forget(actor.tenantId, session.waha_name);
    await this.provisioner.withdraw({ ...session, tenant_id: actor.tenantId }).catch((error: unknown) => {
      if (!(error instanceof WahaFailure)) throw error;
    });
  }

  /** On record before WAHA is asked, for it may be done though nobody hears of it; and then with what came of it. */
  private async logOut(actor: Actor, session: SessionRow): Promise<void> {
    if (session.leaving_server_id !== null) throw WahaErrors.notReady('moving');
    if (session.needs_scan) {
      const record = this.recordOf(actor, session.id, 'SESSION_UPDATED', { action: 'logout', moved: true });
      return this.relocation.relocate(actor.tenantId, session, record);
    }
    const note = (outcome: 'asked' | 'done' | 'failed' | 'unknown') => {
      const record = this.recordOf(actor, session.id, 'SESSION_UPDATED', { action: 'logout', outcome });
      return outcome === 'asked'
        ? this.sessions.setDesired(actor.tenantId, session.id, null, record)
        : this.sessions.recordAct(actor.tenantId, record);
    };
    await note('asked');
    try {
      await this.provisioner.act({ ...session, tenant_id: actor.tenantId }, 'logout');
    } catch (error) {
      await note(didNothing(error) ? 'failed' : 'unknown');
      throw toApiError(error, session.status);
    }
    await note('done');
  }

  /** Whether there is a session of that id now. */
  private async insert(actor: Actor, id: string, draft: SessionDraft): Promise<boolean> {
    const secret = randomBytes(32).toString('base64url');
    const webhookSecret = this.secrets.seal(secret, secretContext(id));
    const place: NewSession['place'] = (tx) => this.placement.choose(tx);
    const session = { ...draft, id, place, wahaName: wahaNameOf(id), webhookSecret };
    try {
      const record = this.recordOf(actor, id, 'SESSION_CREATED', {}, { name: draft.name });
      if (await this.sessions.insert(actor.tenantId, session, record)) return true;
    } catch (error) {
      throw uniqueViolation(error) === 'sessions_name_key' ? WahaErrors.nameTaken() : error;
    }
    return (await this.sessions.findById(actor.tenantId, id)) !== null;
  }

  private async provisionOrForget(actor: Actor, id: string): Promise<void> {
    const session = await this.get(actor, id);
    this.provisioner.forget(actor.tenantId, session.waha_name);
    try {
      await this.provisioner.ensure({ ...session, tenant_id: actor.tenantId });
    } catch (error) {
      if (error instanceof WahaFailure && error.kind === 'unreachable')
        await this.provisioner.recheck({ ...session, tenant_id: actor.tenantId });
      // Where WAHA may have made it all the same, the row stays, so that the reconciler takes it out of WAHA.
      const record = this.recordOf(actor, id, 'SESSION_DELETED', { reason: 'WAHA could not make it' });
      if (didNothing(error)) await this.sessions.remove(actor.tenantId, id, record);
      else await this.sessions.markDeleted(actor.tenantId, id, record);
      throw toApiError(error, 'STOPPED');
    }
  }

  private recordOf(actor: Actor, id: string, action: AuditAction, ...[metadata, personal]: Details): Recording {
    return (tx) => this.audit.record(tx, actor, { action, resource: `session:${id}`, metadata, personal });
  }

  private async inWaha<T>(session: SessionRow, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw toApiError(error, session.status);
    }
  }
}

/** Metadata of a record and, what can be erased from it, its personal part. */
type Details = [metadata?: AuditEntry['metadata'], personal?: AuditEntry['personal']];

/** Whether WAHA certainly did nothing of what it was asked. */
const didNothing = (error: unknown): boolean =>
  error instanceof WahaFailure && (error.kind === 'unreachable' || (error.kind === 'answered' && error.status < 500));

/** WAHA's name of the session: made by us and telling nothing of the tenant; at most 54 of its letters (docs/WAHA.md §0). */
const wahaNameOf = (id: string): string => `sb_${id.replaceAll('-', '')}`;
