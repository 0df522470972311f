import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { SecretBox } from '../../platform/crypto/secret-box';
import { WaitingLine } from '../../platform/crypto/waiting-line';
import { SystemDatabase } from '../../platform/database/system-database';
import { secretContext } from './session-secret';
import { SessionsRepository } from './sessions.repository';
import { WahaErrors } from './waha.errors';

/** Whose session a webhook is, and the secret that it must be signed with. */
export interface WebhookSession {
  tenantId: string;
  id: string;
  secret: string;
}

/** What was found is trusted for so long; a session's names and secret never change, it can only go. */
const FOUND_TTL_MS = 5_000;
/** What was not found is asked for again soon, and made-up names cannot push real ones out. */
const MISSING_TTL_MS = 1_000;

/** Look-ups of the hot paths, answered from memory for some seconds. */
@Injectable()
export class SessionDirectory {
  private readonly byWahaName = new LRUCache<string, Promise<WebhookSession | null>>({
    max: 20_000,
    ttl: FOUND_TTL_MS,
  });
  private readonly missing = new LRUCache<string, true>({ max: 1_000, ttl: MISSING_TTL_MS });
  /** Anybody can post made-up names: they get a small share of the database. */
  private readonly unknownNames = new WaitingLine(2, 1_000);
  private readonly soleSessions = new LRUCache<string, string>({ max: 20_000, ttl: FOUND_TTL_MS });

  constructor(
    private readonly system: SystemDatabase,
    private readonly sessions: SessionsRepository,
    private readonly secrets: SecretBox,
  ) {}

  /** The session of that WAHA name; null when there is none. Many asking at once make one query. */
  async byWebhook(wahaName: string): Promise<WebhookSession | null> {
    if (this.missing.has(wahaName)) return null;
    let found = this.byWahaName.get(wahaName);
    if (!found) {
      found = this.unknownNames.run(() => this.load(wahaName));
      this.byWahaName.set(wahaName, found);
      found.then(
        (session) => session ?? this.forgetMissing(wahaName),
        () => this.byWahaName.delete(wahaName),
      );
    }
    return found;
  }

  /** The session to send from: the one named, else the tenant's only one. @throws SESSION_REQUIRED when that is not one. */
  async forSending(tenantId: string, sessionId: string | undefined): Promise<string> {
    if (sessionId !== undefined) return sessionId; // whether it exists is decided where the message is stored
    const known = this.soleSessions.get(tenantId);
    if (known !== undefined) return known;
    const ids = await this.sessions.idsForSending(tenantId);
    const [only] = ids;
    if (only === undefined || ids.length > 1) throw WahaErrors.sessionRequired(ids.length);
    this.soleSessions.set(tenantId, only);
    return only;
  }

  /** After a session was made or deleted: what was remembered of the tenant holds no longer. */
  forget(tenantId: string, wahaName: string): void {
    this.soleSessions.delete(tenantId);
    this.byWahaName.delete(wahaName);
    this.missing.delete(wahaName);
  }

  private forgetMissing(wahaName: string): void {
    this.byWahaName.delete(wahaName);
    this.missing.set(wahaName, true);
  }

  private async load(wahaName: string): Promise<WebhookSession | null> {
    const [row] = await this.system.run<{ tenant_id: string; id: string; webhook_secret: string }>(
      'sessionByWahaName',
      [wahaName],
    );
    if (!row) return null;
    return {
      tenantId: row.tenant_id,
      id: row.id,
      secret: this.secrets.open(row.webhook_secret, secretContext(row.id)),
    };
  }
}
