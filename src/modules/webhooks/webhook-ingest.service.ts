import { createHmac, timingSafeEqual } from 'node:crypto';
import { Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { AppError } from '../../common/app-error';
import { CommonErrors } from '../../common/common.errors';
import { newId } from '../../common/ids';
import { currentContext } from '../../platform/context/request-context';
import { BatchDatabase } from '../../platform/database/batch-database';
import { GroupCommit } from '../../platform/database/group-commit';
import { Wakeups } from '../../platform/database/wakeups';
import { SessionDirectory } from '../waha/session-directory.service';
import { parseEnvelope } from '../waha/waha.events';
import { WebhookMetrics } from './webhook.metrics';

interface StoredEvent {
  tenantId: string;
  sessionId: string;
  event: string;
  eventId: string;
  body: string;
}

const STORE = `
  insert into webhook_events (tenant_id, session_id, event, event_id, body, id)
  select tenant_id, session_id, event, event_id, body, id
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[])
    with ordinality as g(tenant_id, session_id, event, event_id, body, id, position)
  order by position on conflict do nothing returning session_id, event, event_id`;

/** The door for WAHA's events: verifies, stores once, and leaves the work to the event worker. */
@Injectable()
export class WebhookIngest implements BeforeApplicationShutdown {
  private readonly logger = new Logger('Webhooks');
  private readonly commits = new GroupCommit<StoredEvent, boolean>({
    flush: (batch) => this.store(batch),
    bytesOf: ({ body }) => body.length,
  });

  constructor(
    private readonly directory: SessionDirectory,
    private readonly db: BatchDatabase,
    private readonly wakeups: Wakeups,
    private readonly metrics: WebhookMetrics,
  ) {}

  /**
   * Takes one event in; resolves once it is durable. Age is no ground to refuse: WAHA's timestamp is the event's own and is
   * not signed (docs/WAHA.md §5).
   * @returns whether it was new
   * @throws AUTHENTICATION_FAILED, VALIDATION_FAILED, NOT_FOUND for an unknown session; nothing is stored then
   */
  async take(raw: Buffer, signature: string | undefined): Promise<boolean> {
    const stored = await this.verified(raw, signature).catch((error: unknown) => {
      this.refused(error, signature);
      throw error;
    });
    const isNew = await this.commits.add(stored);
    this.metrics.received(isNew);
    return isNew;
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.commits.drain();
  }

  private refused(error: unknown, signature: string | undefined): void {
    this.metrics.refused();
    if (!(error instanceof AppError && error.code === 'AUTHENTICATION_FAILED')) return;
    this.logger.warn({ msg: `webhook refused: ${signature ? 'forged' : 'unsigned'}`, ip: currentContext()?.ip });
  }

  /** Nothing large is parsed before its signature is known to be right: anybody can post here. */
  private async verified(raw: Buffer, signature: string | undefined): Promise<StoredEvent> {
    if (!signature || !SIGNATURE.test(signature)) throw CommonErrors.authenticationFailed();
    const name = namedSession(raw);
    if (name === null) throw malformed();
    const session = await this.directory.byWebhook(name);
    if (!session) throw CommonErrors.notFound('session');
    if (!isSignedWith(session.secret, raw, signature)) throw CommonErrors.authenticationFailed();
    const body = raw.toString('utf8');
    const envelope = parseEnvelope(body);
    if (!envelope) throw malformed();
    if (envelope.session !== name) throw CommonErrors.authenticationFailed();
    return { tenantId: session.tenantId, sessionId: session.id, event: envelope.event, eventId: envelope.id, body };
  }

  private async store(batch: StoredEvent[]): Promise<boolean[]> {
    const column = (pick: (event: StoredEvent) => string): string[] => batch.map(pick);
    const tenants = column((e) => e.tenantId);
    const columns = [tenants, column((e) => e.sessionId), column((e) => e.event), column((e) => e.eventId)];
    const rows = await this.db.query<{ session_id: string; event: string; event_id: string }>(tenants, STORE, [
      ...columns,
      column((e) => e.body),
      batch.map(() => newId()),
    ]);
    if (rows.length > 0) this.wakeups.wake('events');
    const fresh = new Set(rows.map((row) => `${row.session_id} ${row.event} ${row.event_id}`));
    return batch.map(({ sessionId, event, eventId }) => fresh.delete(`${sessionId} ${event} ${eventId}`));
  }
}

const SIGNATURE = /^[0-9a-f]{128}$/;

/** WAHA writes the session near the beginning, after id, timestamp and event (docs/WAHA.md §5). */
const SESSION_NEAR_THE_BEGINNING =
  /^\s*\{(?:\s*"(?:id|timestamp|event)"\s*:\s*(?:"[^"\\]*"|\d+)\s*,)*\s*"session"\s*:\s*"([^"\\]{1,128})"/;
const BEGINNING_BYTES = 4_096;
const PARSED_UNVERIFIED_BYTES = 65_536;

/** The session that the body names, read without parsing what is large; null when the body is no event. */
function namedSession(raw: Buffer): string | null {
  if (raw.length <= PARSED_UNVERIFIED_BYTES) return parseEnvelope(raw.toString('utf8'))?.session ?? null;
  return SESSION_NEAR_THE_BEGINNING.exec(raw.toString('utf8', 0, BEGINNING_BYTES))?.[1] ?? null;
}

const malformed = () => CommonErrors.invalidField('body', 'body must be a WAHA event with id, event and session');

/** Lowercase hex HMAC-SHA512 over the raw body (docs/WAHA.md §5), compared in constant time. */
export function isSignedWith(secret: string, raw: Buffer, signature: string): boolean {
  const expected = createHmac('sha512', secret).update(raw).digest();
  const given = Buffer.from(signature, 'hex');
  return SIGNATURE.test(signature) && timingSafeEqual(expected, given);
}
