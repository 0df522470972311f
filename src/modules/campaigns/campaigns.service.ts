import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { COUNT_CAP, type Page, pageOf, type PageRequest, totalOf } from '../../common/paging';
import { Wakeups } from '../../platform/database/wakeups';
import { SessionsService } from '../waha/sessions.service';
import { CampaignErrors } from './campaigns.errors';
import { type CampaignRow, type CampaignStatus, CampaignsRepository, type Progress } from './campaigns.repository';
import { secondsFor } from './estimate';

/** How far a campaign is. */
export interface CampaignProgress {
  counts: Progress[];
  /** Messages a minute, over the last five; 0 where nothing left in them. */
  perMinute: number;
  /** When about the last of it leaves; null where nothing waits, or nothing is sent now. */
  endsAt: Date | null;
}

const OPEN: readonly CampaignStatus[] = ['scheduled', 'running', 'paused'];
const DONE = {
  paused: { from: ['scheduled', 'running'], done: ['paused'] },
  running: { from: ['paused'], done: ['running', 'scheduled'] },
  cancelled: { from: OPEN, done: ['cancelled'] },
} as const satisfies Record<string, { from: readonly CampaignStatus[]; done: readonly CampaignStatus[] }>;
const SAID = { paused: 'paused', running: 'resumed', cancelled: 'cancelled' } as const;

/** Campaigns as people look after them. */
@Injectable()
export class CampaignsService {
  constructor(
    private readonly campaigns: CampaignsRepository,
    private readonly sessions: SessionsService,
    private readonly wakeups: Wakeups,
  ) {}

  /** Newest first. */
  async list(actor: Actor, status: CampaignStatus | undefined, request: PageRequest): Promise<Page<CampaignRow>> {
    const page = pageOf(await this.campaigns.list(actor.tenantId, status, request), request.limit);
    if (!request.count) return page;
    return { ...page, total: totalOf(await this.campaigns.count(actor.tenantId, status, COUNT_CAP + 1)) };
  }

  /** @throws NOT_FOUND */
  async get(actor: Actor, id: string): Promise<CampaignRow> {
    const campaign = await this.campaigns.findById(actor.tenantId, id);
    if (!campaign) throw CampaignErrors.notFound();
    return campaign;
  }

  /** Where its messages are, and about when it ends. */
  async progress(actor: Actor, campaign: CampaignRow): Promise<CampaignProgress> {
    const [counts, lately] = await Promise.all([
      this.campaigns.progress(actor.tenantId, campaign.id),
      this.campaigns.sentLately(actor.tenantId, campaign.id),
    ]);
    return { counts, perMinute: lately / 5, endsAt: await this.endOf(actor, campaign, counts) };
  }

  /**
   * Pauses, resumes or cancels: nothing more of it leaves from now on, or it goes on. What is on its way ends normally. One
   * that is so already stays as it is.
   * @throws NOT_FOUND, CAMPAIGN_STATE
   */
  async move(actor: Actor, id: string, to: keyof typeof DONE): Promise<CampaignRow> {
    await this.get(actor, id);
    const { from, done } = DONE[to];
    const moved = await this.campaigns.move(actor, id, to, from);
    const campaign = await this.get(actor, id);
    if (!moved && !(done as readonly string[]).includes(campaign.status))
      throw CampaignErrors.state(SAID[to], campaign.status);
    if (to === 'running') this.wakeups.wake('lanes');
    return campaign;
  }

  /** By the pace of its sessions, as they are now: each sends its share of what waits. */
  private async endOf(actor: Actor, campaign: CampaignRow, counts: Progress[]): Promise<Date | null> {
    const waiting = counts.find(({ status }) => status === 'queued');
    if (!waiting || !['running', 'scheduled'].includes(campaign.status)) return null;
    const ids = campaign.session_ids;
    const sessions = await Promise.all(ids.map((id) => this.sessions.get(actor, id).catch(() => null)));
    const share = (count: number) => Math.ceil(count / ids.length);
    const load = { messages: share(waiting.count), firsts: share(waiting.firsts), perMinute: campaign.per_minute };
    const seconds = Math.max(...sessions.map((session) => (session ? secondsFor(load, session.pace) : 0)));
    const begins = Math.max(Date.now(), campaign.scheduled_at?.getTime() ?? 0);
    return Number.isFinite(seconds) ? new Date(begins + seconds * 1_000) : null;
  }
}
