import { Injectable } from '@nestjs/common';
import type { PageRequest } from '../../common/paging';
import type { Actor } from '../../common/actor';
import { AuditLog } from '../../platform/audit/audit-log';
import type { AuditAction } from '../../platform/audit/audit-actions';
import { rerun } from '../../platform/database/rerun';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';

export const CAMPAIGN_STATUSES = ['scheduled', 'running', 'paused', 'finished', 'cancelled'] as const;
export type CampaignStatus = (typeof CAMPAIGN_STATUSES)[number];

/** A campaign as it is stored. */
export interface CampaignRow {
  id: string;
  name: string | null;
  /** `accepting` while its recipients come in: then it is shown to nobody. */
  status: CampaignStatus | 'accepting';
  type: string;
  template_id: string | null;
  session_ids: string[];
  per_minute: number | null;
  scheduled_at: Date | null;
  expires_at: Date | null;
  accepted: number;
  folded: number;
  rejected: number;
  created_by: string;
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
}

/** A campaign that begins to take in recipients. */
export interface NewCampaign {
  id: string;
  name: string | null;
  type: string;
  templateId: string | null;
  content: Record<string, unknown>;
  metadata: Record<string, unknown>;
  sessionIds: readonly string[];
  perMinute: number | null;
  scheduledAt: Date | null;
  expiresAt: Date | null;
}

/** A campaign that takes in recipients, and who does that now: another one takes it over. */
export interface Intake {
  id: string;
  intake: string;
}

/** Where a campaign's messages are. */
export interface Progress {
  status: string;
  count: number;
  firsts: number;
}

const COLUMNS = `c.id, c.name, c.status, c.type, c.template_id, c.per_minute, c.scheduled_at, c.expires_at, c.accepted, c.folded,
  c.rejected, c.created_by, c.created_at, c.started_at, c.finished_at,
  array(select s.session_id from campaign_sessions s where s.tenant_id = c.tenant_id and s.campaign_id = c.id order by 1) as session_ids`;

const BEGIN = `
  with made as (
    insert into campaigns (tenant_id, id, name, type, template_id, content, metadata, created_by, per_minute, scheduled_at,
      expires_at, accepting_until, intake)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, clock_timestamp() + interval '60 seconds', $13)
    on conflict (tenant_id, id) do update set accepting_until = excluded.accepting_until, intake = excluded.intake
      where campaigns.status = 'accepting' and campaigns.accepting_until > clock_timestamp()
    returning id),
  sessions as (
    insert into campaign_sessions (tenant_id, session_id, campaign_id, per_minute)
    select $1, session_id, $2, $9 from made, unnest($12::uuid[]) as g(session_id) on conflict do nothing)
  select id from made union select id from campaigns where tenant_id = $1 and id = $2 and status <> 'accepting'`;

// Lanes in the order in which everybody locks them.
const WAKE = `
  with lane as (
    select l.session_id from lanes l join campaign_sessions s on s.tenant_id = l.tenant_id and s.session_id = l.session_id
    where l.tenant_id = $1 and s.campaign_id = $2 and l.state <> 'closed' order by l.session_id for no key update of l),
  running as (update campaign_sessions set running = true where tenant_id = $1 and campaign_id = $2)
  update lanes l set next_at = least(coalesce(l.next_at, 'infinity'), greatest(l.pace_at, clock_timestamp()))
  from lane where l.tenant_id = $1 and l.session_id = lane.session_id`;

const PORTION = `select id from messages where tenant_id = $1 and campaign_id = $2 limit $3`;

// From then on nobody gives bytes to them; what FORGET sees afterwards is which of them were given some before.
const HOLD_MEDIA = `
  select from message_media where tenant_id = $1 and message_id = any ($2::uuid[]) order by message_id for update`;

// Bytes that one of them alone has go with it; those that it has of a file which was deleted, other messages may show: then one of
// these has them, which is locked where it is chosen, so that none is that is being forgotten as well.
const FORGET = `
  with owned as materialized (
    select mm.storage_key, (m.content->'media'->>'file_id')::uuid as file_id
    from message_media mm join messages m on m.tenant_id = $1 and m.id = mm.message_id
    where mm.tenant_id = $1 and mm.message_id = any ($2::uuid[]) and mm.file_id is null and mm.storage_key is not null),
  heir as materialized (
    select o.storage_key, h.message_id from owned o cross join lateral (
      select h.message_id from message_media h where h.tenant_id = $1 and h.file_id = o.file_id
        and h.message_id <> all ($2) order by h.message_id limit 1 for no key update) h),
  passed_on as (
    update message_media mm set file_id = null from heir where mm.tenant_id = $1 and mm.message_id = heir.message_id),
  doomed as (
    insert into object_removals (tenant_id, storage_key, due_at)
    select $1, o.storage_key, now() from owned o where not exists (select from heir h where h.storage_key = o.storage_key)
    on conflict do nothing),
  gone as (
    delete from messages where tenant_id = $1 and id = any ($2) returning created_at),
  days as (
    select (g.created_at at time zone coalesce(t.settings->>'time_zone', 'UTC'))::date as day, count(*) as count
    from gone g cross join tenants t where t.id = $1 group by 1),
  given_back as (
    update tenant_usage u set messages = greatest(0, u.messages - days.count) from days
    where u.tenant_id = $1 and u.day = days.day)
  select from gone`;

/** The queries on campaigns. */
@Injectable()
export class CampaignsRepository {
  constructor(
    private readonly db: TenantDatabase,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Begins, or takes over one that takes in recipients already; of one that is complete nothing changes.
   * @returns false where there is one that broke off, and is being forgotten
   */
  async begin(actor: Actor, campaign: NewCampaign, intake: string): Promise<boolean> {
    const { id, name, type, templateId, content, metadata, sessionIds, perMinute, scheduledAt, expiresAt } = campaign;
    const what = [id, name, type, templateId, content, metadata];
    const rows = await this.db.query(actor.tenantId, BEGIN, [
      ...[actor.tenantId, ...what, actor.id, perMinute, scheduledAt, expiresAt],
      ...[sessionIds, intake],
    ]);
    return rows.length > 0;
  }

  /**
   * All recipients are in: it is scheduled or runs from now on, on record.
   * @returns how many messages it has; null when it takes in nothing any more
   */
  complete(actor: Actor, { id, intake }: Intake, told: { valid: number; rejected: number }): Promise<number | null> {
    const { tenantId } = actor;
    return this.db.transaction(tenantId, async (tx) => {
      const [row] = await tx.query<{ status: string; accepted: number }>(
        `update campaigns set accepting_until = null, rejected = $4,
            status = case when scheduled_at > clock_timestamp() then 'scheduled' else 'running' end,
            started_at = case when scheduled_at > clock_timestamp() then null else clock_timestamp() end,
            accepted = n.count, folded = greatest(0, $3 - n.count)
          from (select count(*)::int as count from messages where tenant_id = $1 and campaign_id = $2) n
          where tenant_id = $1 and id = $2 and intake = $5 and status = 'accepting' and accepting_until > clock_timestamp()
          returning status, accepted`,
        [tenantId, id, told.valid, told.rejected, intake],
      );
      if (!row) return null;
      if (row.status === 'running') await tx.query(WAKE, [tenantId, id]);
      await this.record(tx, actor, id, 'CAMPAIGN_CREATED', { accepted: row.accepted });
      return row.accepted;
    });
  }

  /** It takes in nothing any more, and goes as if it had never been. */
  async giveUp(tenantId: string, { id, intake }: Intake): Promise<void> {
    await this.db.query(
      tenantId,
      `update campaigns set accepting_until = '-infinity' where tenant_id = $1 and id = $2 and intake = $3
        and status = 'accepting'`,
      [tenantId, id, intake],
    );
  }

  /**
   * Deletes some messages of one that was given up, and with the last of them itself; their places in the tenant's day are free
   * again. Answers whether it is gone, or lives after all.
   */
  forgetSome(tenantId: string, id: string, limit: number): Promise<boolean> {
    const forget = async (tx: TenantTransaction): Promise<boolean> => {
      const given = `tenant_id = $1 and id = $2 and status = 'accepting' and accepting_until < clock_timestamp()`;
      const held = await tx.query(`select from campaigns where ${given} for update`, [tenantId, id]);
      if (held.length === 0) return true;
      const ids = (await tx.query<{ id: string }>(PORTION, [tenantId, id, limit])).map((message) => message.id);
      if (ids.length > 0) {
        await tx.query(HOLD_MEDIA, [tenantId, ids]);
        await tx.query(FORGET, [tenantId, ids]);
        return false;
      }
      await tx.query(`delete from campaigns where ${given}`, [tenantId, id]);
      return true;
    };
    // Two that are forgotten at once may each have bytes for the other: where they meet, one does it again.
    return rerun(() => this.db.transaction(tenantId, forget));
  }

  /**
   * Moves it into another status, on record, where it is in one of those; answers whether it was.
   * @param to `running` stands for `scheduled` while its time has not come
   */
  move(
    actor: Actor,
    id: string,
    to: 'paused' | 'running' | 'cancelled',
    from: readonly CampaignStatus[],
  ): Promise<boolean> {
    const { tenantId } = actor;
    return this.db.transaction(tenantId, async (tx) => {
      const [row] = await tx.query<{ status: string }>(
        `update campaigns set
            status = case when $3 = 'running' and scheduled_at > clock_timestamp() then 'scheduled' else $3 end,
            started_at = case when $3 = 'running' and not coalesce(scheduled_at > clock_timestamp(), false)
              then coalesce(started_at, clock_timestamp()) else started_at end,
            finished_at = case when $3 = 'cancelled' then clock_timestamp() end, clearing = $3 = 'cancelled'
          where tenant_id = $1 and id = $2 and status = any ($4) returning status`,
        [tenantId, id, to, from],
      );
      if (!row) return false;
      if (row.status === 'running') await tx.query(WAKE, [tenantId, id]);
      else
        await tx.query(`update campaign_sessions set running = false where tenant_id = $1 and campaign_id = $2`, [
          tenantId,
          id,
        ]);
      await this.record(tx, actor, id, 'CAMPAIGN_UPDATED', { status: row.status });
      return true;
    });
  }

  /** Null when there is none, or its recipients are still coming in. */
  async findById(tenantId: string, id: string): Promise<CampaignRow | null> {
    const where = `where c.tenant_id = $1 and c.id = $2 and c.status <> 'accepting'`;
    const [row] = await this.db.query<CampaignRow>(tenantId, `select ${COLUMNS} from campaigns c ${where}`, [
      tenantId,
      id,
    ]);
    return row ?? null;
  }

  /** Newest first, one more than asked for. */
  list(
    tenantId: string,
    status: CampaignStatus | undefined,
    { limit, cursor, offset }: PageRequest,
  ): Promise<CampaignRow[]> {
    return this.db.query<CampaignRow>(
      tenantId,
      `select ${COLUMNS} from campaigns c where c.tenant_id = $1 and c.status <> 'accepting'
          and ($2::text is null or c.status = $2) and ($3::uuid is null or c.id < $3) order by c.id desc limit $4 offset $5`,
      [tenantId, status ?? null, cursor ?? null, limit + 1, offset ?? 0],
    );
  }

  async count(tenantId: string, status: CampaignStatus | undefined, cap: number): Promise<number> {
    const [row] = await this.db.query<{ count: number }>(
      tenantId,
      `select count(*)::int as count from (select from campaigns
        where tenant_id = $1 and status <> 'accepting' and ($2::text is null or status = $2) limit $3) c`,
      [tenantId, status ?? null, cap],
    );
    return row?.count ?? 0;
  }

  /** How many of its messages are in each status, and how many of these are first contacts. */
  progress(tenantId: string, id: string): Promise<Progress[]> {
    return this.db.query<Progress>(
      tenantId,
      `select status, count(*)::int as count, (count(*) filter (where first_contact))::int as firsts from messages
        where tenant_id = $1 and campaign_id = $2 group by status order by status`,
      [tenantId, id],
    );
  }

  /** How many of its messages left within the last five minutes. */
  async sentLately(tenantId: string, id: string): Promise<number> {
    const [row] = await this.db.query<{ count: number }>(
      tenantId,
      `select count(*)::int as count from messages
        where tenant_id = $1 and campaign_id = $2 and sent_at > now() - interval '5 minutes'`,
      [tenantId, id],
    );
    return row?.count ?? 0;
  }

  private record(
    tx: TenantTransaction,
    actor: Actor,
    id: string,
    action: AuditAction,
    metadata: Record<string, unknown>,
  ): Promise<void> {
    return this.audit.record(tx, actor, { action, resource: `campaign:${id}`, metadata });
  }
}
