import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { CommonErrors } from '../../common/common.errors';
import { phoneDigits } from '../../common/phone-number';
import { AuditLog } from '../../platform/audit/audit-log';
import { Wakeups } from '../../platform/database/wakeups';
import type { QrImage, WahaClient } from './client/waha-client';
import { SessionsRepository, type SessionRow } from './sessions.repository';
import { SessionsService } from './sessions.service';
import { WahaServers } from './waha-servers.service';
import { toApiError, WahaErrors } from './waha.errors';

/** Pairing a session with a phone: by the QR code that it scans, or by a code that is typed in on it. */
@Injectable()
export class SessionPairing {
  constructor(
    private readonly service: SessionsService,
    private readonly sessions: SessionsRepository,
    private readonly servers: WahaServers,
    private readonly wakeups: Wakeups,
    private readonly audit: AuditLog,
  ) {}

  /** The QR code to scan. @throws NOT_FOUND, SESSION_NOT_READY with the status when there is none, WAHA_UNAVAILABLE */
  async qrImage(actor: Actor, id: string): Promise<QrImage> {
    return this.qr(actor, id, (client, name) => client.qrImage(name));
  }

  /** What the QR code says, for those who draw it themselves. @throws as above */
  async qrValue(actor: Actor, id: string): Promise<string> {
    return this.qr(actor, id, (client, name) => client.qrValue(name));
  }

  /**
   * The code to type in on the phone of that number, instead of scanning. Who asked for it, and for which number, is recorded
   * before WAHA is asked.
   * @throws VALIDATION_FAILED when that is no phone number, else as above
   */
  async pairingCode(actor: Actor, id: string, phoneNumber: string): Promise<string> {
    const digits = phoneDigits(phoneNumber);
    if (digits === null)
      throw CommonErrors.invalidField('phone_number', 'phone_number must be a phone number with country code');
    const session = await this.service.get(actor, id);
    // Asked of WAHA each time: where the session is just starting, the call would hang until there is a code (docs/WAHA.md §3).
    await this.mustWaitForScan(actor, session);
    const entry = {
      action: 'SESSION_UPDATED',
      resource: `session:${id}`,
      metadata: { action: 'pairing_code' },
      personal: { phone_number: digits },
    } as const;
    await this.sessions.recordAct(actor.tenantId, (tx) => this.audit.record(tx, actor, entry));
    return this.inWaha(session, (client) => client.pairingCode(session.waha_name, digits));
  }

  private async qr<T>(actor: Actor, id: string, ask: (client: WahaClient, name: string) => Promise<T>): Promise<T> {
    const session = await this.service.get(actor, id);
    // WAHA waits 5 to 10 s before it says that there is no QR code, so we look at the state that it reported first.
    if (session.status !== 'SCAN_QR_CODE') await this.mustWaitForScan(actor, session);
    return this.inWaha(session, (client) => ask(client, session.waha_name));
  }

  private async mustWaitForScan({ tenantId }: Actor, session: SessionRow): Promise<void> {
    const info = await this.inWaha(session, (client) => client.getSession(session.waha_name));
    if (info) await this.sessions.noteState(tenantId, session.id, info);
    if (info?.status === 'WORKING') this.wakeups.wake('lanes');
    if (info?.status !== 'SCAN_QR_CODE') throw WahaErrors.notReady(info?.status ?? session.status);
  }

  private async inWaha<T>(session: SessionRow, work: (client: WahaClient) => Promise<T>): Promise<T> {
    const { client } = await this.servers.byId(session.server_id);
    try {
      return await work(client);
    } catch (error) {
      throw toApiError(error, session.status);
    }
  }
}
