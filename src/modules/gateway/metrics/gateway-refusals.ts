import { Injectable } from '@nestjs/common';
import { PLATFORM_TENANT_ID } from '../../../common/actor';
import { AuditLog } from '../../../platform/audit/audit-log';
import { NOBODY } from '../../../platform/audit/audit-record';
import { runInContext } from '../../../platform/context/request-context';
import type { EndedExchange, GatewayObserver } from '../proxy/parts';

const MINUTE_MS = 60_000;
/** Notes a minute of one process in each trail: anybody can send made-up keys, and the trail is not theirs to fill. */
const MAX_A_MINUTE = 100;
const CODES: Record<number, string> = { 401: 'AUTHENTICATION_FAILED', 403: 'TENANT_SUSPENDED' };

/**
 * Notes whom the gateway itself turned away: strangers in the platform's audit trail, keys of a suspended tenant in that
 * tenant's. A hundred a minute in each; what is more is counted in the metrics alone.
 */
@Injectable()
export class GatewayRefusals implements GatewayObserver {
  private since = -Infinity;
  /** By tenant. */
  private readonly noted = new Map<string, number>();

  constructor(private readonly audit: AuditLog) {}

  ended({ status, attempts, method, requestId, address, userAgent, actor }: EndedExchange): void {
    const code = CODES[status];
    const tenantId = actor?.tenantId ?? PLATFORM_TENANT_ID;
    if (attempts > 0 || code === undefined || !this.mayNote(tenantId)) return; // an upstream's own 401 is no refusal of ours
    const metadata = { status, code };
    const context = {
      requestId,
      ip: address,
      userAgent,
      actor: actor ?? undefined,
      resourceId: undefined,
      refusal: code,
    };
    runInContext(context, () =>
      this.audit.note(tenantId, actor ?? NOBODY, { action: 'ACCESS_DENIED', resource: `${method} gateway`, metadata }),
    );
  }

  private mayNote(tenantId: string): boolean {
    const now = performance.now();
    if (now - this.since >= MINUTE_MS) {
      this.since = now;
      this.noted.clear();
    }
    const noted = (this.noted.get(tenantId) ?? 0) + 1;
    this.noted.set(tenantId, noted);
    return noted <= MAX_A_MINUTE;
  }
}
