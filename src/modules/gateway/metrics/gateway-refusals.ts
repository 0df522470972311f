import { Injectable } from '@nestjs/common';
import { PLATFORM_TENANT_ID } from '../../../common/actor';
import { AuditLog } from '../../../platform/audit/audit-log';
import { NOBODY } from '../../../platform/audit/audit-record';
import { runInContext } from '../../../platform/context/request-context';
import type { EndedExchange, GatewayObserver } from '../proxy/parts';

const MINUTE_MS = 60_000;
/** Notes a minute of one process: anybody can send made-up keys, and the trail is not theirs to fill. */
const MAX_A_MINUTE = 100;
const CODES: Record<number, string> = { 401: 'AUTHENTICATION_FAILED', 403: 'TENANT_SUSPENDED' };

/** Notes in the audit trail whom the gateway itself turned away, a hundred a minute; what is more is counted in the metrics alone. */
@Injectable()
export class GatewayRefusals implements GatewayObserver {
  private since = -Infinity;
  private noted = 0;

  constructor(private readonly audit: AuditLog) {}

  ended({ status, attempts, method, requestId, address, userAgent }: EndedExchange): void {
    const code = CODES[status];
    if (attempts > 0 || code === undefined || !this.mayNote()) return; // an upstream's own 401 is no refusal of ours
    const metadata = { status, code };
    const context = { requestId, ip: address, userAgent, actor: undefined, resourceId: undefined, refusal: code };
    runInContext(context, () =>
      this.audit.note(PLATFORM_TENANT_ID, NOBODY, { action: 'ACCESS_DENIED', resource: `${method} gateway`, metadata }),
    );
  }

  private mayNote(): boolean {
    const now = performance.now();
    if (now - this.since >= MINUTE_MS) {
      this.since = now;
      this.noted = 0;
    }
    this.noted += 1;
    return this.noted <= MAX_A_MINUTE;
  }
}
