import { ApiProperty } from '@nestjs/swagger';
import { AUDIT_ACTION_NAMES } from '../../../platform/audit/audit-actions';
import type { AuditLogRow } from '../audit-logs.repository';

/** Who acted. */
export class AuditActorResponse {
  @ApiProperty({ enum: ['user', 'key', 'platform', 'system', 'nobody'] })
  kind: string;
  /** Of the user or API key; null for the service itself, and for somebody unknown. */
  @ApiProperty({ type: String, nullable: true })
  id: string | null;
}

/** One record of the audit trail. */
export class AuditLogResponse {
  id: string;
  /** The user who acted; null where it was no user. */
  @ApiProperty({ type: String, nullable: true })
  user_id: string | null;
  actor: AuditActorResponse;
  @ApiProperty({ enum: AUDIT_ACTION_NAMES })
  action: string;
  /** What it was done to, as `kind:id`, or the route that was refused. */
  resource: string;
  @ApiProperty({ type: String, nullable: true })
  ip: string | null;
  @ApiProperty({ type: String, nullable: true })
  user_agent: string | null;
  @ApiProperty({ type: Object, additionalProperties: true })
  metadata: Record<string, unknown>;
  timestamp: Date;
  @ApiProperty({ type: String, nullable: true })
  request_id: string | null;
}

/** Lists each field by hand: a new column stays private until somebody adds it. */
export function auditLogResponse(row: AuditLogRow): AuditLogResponse {
  const personal = JSON.parse(row.personal ?? '{}') as Record<string, string | null>;
  const { ip = null, user_agent = null, ...others } = personal;
  return {
    id: row.id,
    user_id: row.actor_kind === 'user' ? row.actor_id : null,
    actor: { kind: row.actor_kind, id: row.actor_id },
    action: row.action,
    resource: row.resource,
    ip,
    user_agent,
    metadata: { ...row.metadata, ...others },
    timestamp: row.at,
    request_id: row.request_id,
  };
}
