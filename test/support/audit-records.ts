import type { Client } from 'pg';

/** A record of the audit trail as a row. */
export interface AuditRecord {
  tenant_id: string;
  actor_kind: string;
  actor_id: string | null;
  action: string;
  resource: string;
  metadata: Record<string, unknown>;
  /** Parsed; null once erased. */
  personal: Record<string, string | null> | null;
}

/** What the audit trail holds of these actions, of all tenants, whose resource or personal part contains the text; oldest first. */
export async function auditRecords(owner: Client, actions: string[], text: string): Promise<AuditRecord[]> {
  const { rows } = await owner.query<AuditRecord>(
    `select tenant_id, actor_kind, actor_id, action, resource, metadata, personal::jsonb as personal from audit_logs
      where action = any ($1::text[]) and (position($2 in resource) > 0 or position($2 in personal) > 0) order by at, id`,
    [actions, text],
  );
  return rows;
}
