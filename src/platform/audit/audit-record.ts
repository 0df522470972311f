import { createHash, randomBytes } from 'node:crypto';
import { type Actor } from '../../common/actor';
import { newId } from '../../common/ids';
import { currentContext } from '../context/request-context';
import type { AuditAction } from './audit-actions';

/** Who did it: an actor, or nobody that we know (an unknown email), or the service itself (a job). */
export type AuditActor = Pick<Actor, 'kind' | 'id'> | { kind: 'system' | 'nobody'; id: null };

export const NOBODY: AuditActor = { kind: 'nobody', id: null };
export const SYSTEM: AuditActor = { kind: 'system', id: null };

/** What is recorded of one happening. */
export interface AuditEntry {
  action: AuditAction;
  /** What it was done to, as `kind:id` (`user:0194…`), or the route that was refused. */
  resource: string;
  /** Small and plain: names of fields, ids, figures. Never a secret, a token or the text of a message. */
  metadata?: Record<string, unknown>;
  /** What names or describes a person (email, name): shown with the metadata, erased with its tenant. */
  personal?: Record<string, string | null>;
}

/** A record as a row, in the order of AUDIT_COLUMNS. */
export type AuditRow = [
  tenantId: string,
  id: string,
  actorKind: string,
  actorId: string | null,
  action: string,
  resource: string,
  metadata: string,
  requestId: string | null,
  personal: string,
  personalSalt: Buffer,
  personalHash: Buffer,
];

export const AUDIT_COLUMNS = `tenant_id, id, actor_kind, actor_id, action, resource, metadata, request_id, personal,
  personal_salt, personal_hash`;

export const AUDIT_COLUMN_TYPES = [
  'uuid',
  'uuid',
  'text',
  'uuid',
  'text',
  'text',
  'json',
  'text',
  'text',
  'bytea',
  'bytea',
];

/** A row's parameters, of which the first has that number, each as its column's type. */
export const auditPlaceholders = (first: number): string =>
  AUDIT_COLUMN_TYPES.map((type, index) => `$${first + index}::${type}`).join(', ');

const SALT_BYTES = 16;
const LONGEST_RESOURCE = 300;
const LONGEST_TEXT = 512;

/** The row of a happening in the tenant (PLATFORM_TENANT_ID for the platform's chain), with where the request came from. */
export function auditRow(tenantId: string, actor: AuditActor, entry: AuditEntry): AuditRow {
  const { action, resource, metadata = {}, personal = {} } = entry;
  const context = currentContext();
  const ip = context?.ip ?? null;
  const userAgent = context?.userAgent === undefined ? null : storable(context.userAgent, LONGEST_TEXT);
  const text = JSON.stringify({ ip, user_agent: userAgent, ...personal });
  const salt = randomBytes(SALT_BYTES);
  return [
    tenantId,
    newId(),
    actor.kind,
    actor.id,
    action,
    storable(resource, LONGEST_RESOURCE),
    JSON.stringify(metadata),
    context?.requestId ?? null,
    text,
    salt,
    personalHash(salt, text),
  ];
}

/** What the chain knows of the personal part: nobody can find out from it what was erased. */
export const personalHash = (salt: Buffer, text: string): Buffer =>
  createHash('sha256').update(salt).update(text, 'utf8').digest();

/** What PostgreSQL takes as text: no NUL, no half of a surrogate pair, not even one that the cut leaves. */
const storable = (text: string, longest: number): string => text.replaceAll('\0', '').slice(0, longest).toWellFormed();
