import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { newId } from '../../common/ids';
import { TenantDatabase } from '../database/tenant-database';

/** A key counts for so long; the purge job removes it later. */
export const KEY_LIFETIME_HOURS = 24;
/** Longer than a request may take: after it, whoever held the key has died. */
const LEASE_S = 60;
const ATTEMPTS = 3;

/** Whose key it is and where it counts: keys are scoped to actor and route. */
export interface KeyScope {
  actor: Pick<Actor, 'tenantId' | 'id'>;
  /** Method, template and parameters of the route. */
  route: string;
  key: string;
}

/** The right to run the request. */
export interface Claim extends KeyScope {
  /** The id for the resource that the request makes: the same in each run of it. */
  resourceId: string;
  /** Names this run: what another one has taken over, this one no longer settles. */
  lease: string;
}

/** What became of the attempt to claim a key. */
export type ClaimOutcome =
  | { kind: 'claimed'; claim: Claim }
  | { kind: 'replay'; status: number; body: string }
  | { kind: 'reused' }
  | { kind: 'running' };

interface ClaimRow {
  claimed: boolean;
  same: boolean;
  state: 'running' | 'done';
  resource_id: string;
  lease: string;
  response_status: number | null;
  response_body: string | null;
}

// A row can be taken over when it is too old, when its run was given up (-infinity), or when the run died (its lease is over)
// and this is the same request. The same request keeps its resource id, so that running it again makes nothing twice.
const CLAIM = `
  with claimed as (
    insert into idempotency_keys as k
      (tenant_id, actor_id, route, key, fingerprint, resource_id, state, lease_until)
    values ($1, $2, $3, $4, $5, $6, 'running', now() + interval '${LEASE_S} seconds')
    on conflict (tenant_id, actor_id, route, key) do update set
      fingerprint = excluded.fingerprint,
      resource_id = case when k.fingerprint = excluded.fingerprint and k.created_at > now() - interval '${KEY_LIFETIME_HOURS} hours'
        then k.resource_id else excluded.resource_id end,
      created_at = case when k.created_at > now() - interval '${KEY_LIFETIME_HOURS} hours' then k.created_at else now() end,
      state = 'running', lease_until = excluded.lease_until, response_status = null, response_body = null
    where k.lease_until < now() and (k.created_at <= now() - interval '${KEY_LIFETIME_HOURS} hours'
      or (k.state = 'running' and (k.fingerprint = excluded.fingerprint or k.lease_until = '-infinity')))
    returning true as claimed, true as same, state, resource_id, lease_until::text as lease, response_status, response_body
  )
  select * from claimed
  union all
  select false, fingerprint = $5, state, resource_id, lease_until::text, response_status, response_body
  from idempotency_keys where tenant_id = $1 and actor_id = $2 and route = $3 and key = $4
    and not exists (select from claimed)`;

const KEEP = `
  update idempotency_keys set state = 'done', response_status = $6, response_body = $7
  where tenant_id = $1 and actor_id = $2 and route = $3 and key = $4 and state = 'running' and lease_until = $5::timestamptz`;

const RELEASE = `
  update idempotency_keys set lease_until = '-infinity'
  where tenant_id = $1 and actor_id = $2 and route = $3 and key = $4 and state = 'running' and lease_until = $5::timestamptz`;

/** The table of idempotency keys, as the tenant of the actor. */
@Injectable()
export class IdempotencyStore {
  constructor(private readonly database: TenantDatabase) {}

  /** Takes the key for this request, or says what stands under it. Of simultaneous requests exactly one gets the claim. */
  async claim(scope: KeyScope, fingerprint: string): Promise<ClaimOutcome> {
    const { actor, route, key } = scope;
    const params = [actor.tenantId, actor.id, route, key, fingerprint, newId()];
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const [row] = await this.database.query<ClaimRow>(actor.tenantId, CLAIM, params);
      if (row) return outcomeOf(row, scope);
      // Made by another request after this statement began: the next one sees it.
    }
    return { kind: 'running' };
  }

  /** Keeps the answer under the key, unless the run was taken over. */
  async keep(claim: Claim, status: number, body: string): Promise<void> {
    await this.database.query(claim.actor.tenantId, KEEP, [...identity(claim), status, body]);
  }

  /** Gives the key back: the next request runs. */
  async release(claim: Claim): Promise<void> {
    await this.database.query(claim.actor.tenantId, RELEASE, identity(claim));
  }
}

const identity = ({ actor, route, key, lease }: Claim): unknown[] => [actor.tenantId, actor.id, route, key, lease];

function outcomeOf(row: ClaimRow, scope: KeyScope): ClaimOutcome {
  if (row.claimed) return { kind: 'claimed', claim: { ...scope, resourceId: row.resource_id, lease: row.lease } };
  if (!row.same) return { kind: 'reused' };
  if (row.state === 'running') return { kind: 'running' };
  return { kind: 'replay', status: row.response_status ?? 200, body: row.response_body ?? '' };
}
