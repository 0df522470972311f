import type { LaneJob } from '../../src/modules/messages/lanes/lane-job';
import { type MessageStatus, TRANSITIONS } from '../../src/modules/messages/message-status';
import type { World } from './message-machine.harness';

/** A message as its row has it. */
export interface Seen {
  id: string;
  seq: string;
  chat: string;
  body: string | null;
  direction: string;
  status: MessageStatus;
  urgency: number;
  first_contact: boolean;
  campaign_id: string | null;
  created_by: string | null;
  wa_id: string | null;
  wa_id_reserved: boolean;
  attempts: number;
  burned: number;
  error_code: string | null;
  next_attempt_at: Date | null;
  settle_at: Date | null;
  ack_due_at: Date | null;
  expires_at: Date | null;
  sent_at: Date | null;
  delivered_at: Date | null;
  read_at: Date | null;
}

const COLUMNS = `id, seq, chat, body, direction, status, urgency, first_contact, campaign_id, created_by, wa_id, wa_id_reserved,
  attempts, burned, error_code, next_attempt_at, settle_at, ack_due_at, expires_at, sent_at, delivered_at, read_at`;

interface Noted {
  id: string;
  message_id: string;
  status: MessageStatus;
}

export interface SeenLane {
  state: string;
  owner: string | null;
  epoch: string;
  /** `YYYY-MM-DD`, or `-infinity`. */
  day: string;
  day_sent: number;
  day_firsts: number;
  daily_cap: number;
  first_contacts_per_day: number;
}

const RANKS: Partial<Record<MessageStatus, number>> = { delivered: 1, read: 2, played: 3 };
export const rankOf = (status: MessageStatus): number => RANKS[status] ?? 0;

/**
 * The model: what is known of each message and of the lane, from what was seen and done so far. Each look compares the rows
 * with it and throws for whatever must never be.
 */
export class Known {
  readonly messages = new Map<string, Seen>();
  /** Every id by which WhatsApp has known a message, the ones that a retry gave up too. */
  readonly waIds = new Map<string, { id: string; chat: string; body: string | null }>();
  /** Jobs in somebody's hands, and outcomes that somebody asks for: what a command may choose of. */
  held = 0;
  asked = 0;
  campaigns = 0;
  readonly running = new Set<string>();
  lane: SeenLane | undefined;
  /** What the lane's day should say. */
  private day = '';
  private daySent = 0;
  private lastEvent = '0';

  /** Whatever is common to all steps. @throws where a rule is broken, with the message */
  async look(world: World): Promise<void> {
    const { owner } = world.machine;
    const rows = await owner.query<Seen>(`select ${COLUMNS} from messages where tenant_id = $1 order by seq`, [
      world.tenantId,
    ]);
    const events = await owner.query<Noted>(
      `select id::text, message_id, status from message_events where tenant_id = $1 and id > $2 order by message_events.id`,
      [world.tenantId, this.lastEvent],
    );
    const lanes = await owner.query<SeenLane>(
      `select state, owner, epoch, day::text, day_sent, day_firsts, daily_cap, first_contacts_per_day from lanes where session_id = $1`,
      [world.session.id],
    );
    this.lastEvent = events.rows.at(-1)?.id ?? this.lastEvent;
    for (const row of rows.rows) this.compare(row, events.rows);
    const open = rows.rows.filter(({ status }) => status === 'sending');
    holds(open.length <= 1, 'at most one attempt of a lane is open', open);
    this.compareLane(lanes.rows[0] as SeenLane);
    await this.lookAtCampaigns(world);
    for (const { job, waId } of world.held) this.name(waId, this.messages.get(job.id) as Seen);
    [this.held, this.asked] = [world.held.length, world.asked.length];
  }

  /** Rules of what a lane gives out; against the rows as they were before. */
  claimed(job: LaneJob, now: number): void {
    const row = this.messages.get(job.id) as Seen;
    holds(row?.status === 'queued', 'only what is queued is claimed', row);
    holds(!isOver(row.expires_at, now), 'nothing overdue is claimed', row);
    holds(
      row.next_attempt_at === null || isOver(row.next_attempt_at, now),
      'nothing goes before its retry is due',
      row,
    );
    holds(row.campaign_id === null || this.running.has(row.campaign_id), 'only running campaigns are claimed', row);
    holds(this.lane?.state === 'open', 'only an open lane gives anything', row);
    holds(this.lane?.owner === null, 'a lane that is driven gives nothing', row);
    const others = [...this.messages.values()].filter(({ id, chat }) => id !== row.id && chat === row.chat);
    const open = others.filter(({ status, settle_at: due }) => status === 'sending' || (status === 'unknown' && due));
    holds(open.length === 0, 'nothing goes into a chat that holds an open attempt', [row, open]);
    if (row.attempts > 0) return;
    const before = others.filter((other) => isBefore(other, row) && !isOver(other.expires_at, now));
    holds(before.length === 0, 'a chat is written to in order', { row, before });
  }

  /** The lane gave out so many: its day counts them. */
  counted(jobs: number, now: number): void {
    if (jobs === 0) return;
    const today = new Date(now).toISOString().slice(0, 10);
    if (this.day !== today) [this.day, this.daySent] = [today, 0];
    this.daySent += jobs;
  }

  /** One of what was counted has certainly not been sent. */
  givenBack(): void {
    this.daySent = Math.max(0, this.daySent - 1);
  }

  /** WhatsApp reported that of an id: the message that has it is there by now, or was beyond. */
  reported(waId: string, status: MessageStatus): void {
    const row = [...this.messages.values()].find((each) => each.wa_id === waId);
    if (row?.direction === 'outbound') holds(rankOf(row.status) >= rankOf(status), `${status} was reported of it`, row);
  }

  name(waId: string, { id, chat, body }: Pick<Seen, 'id' | 'chat' | 'body'>): void {
    if (!this.waIds.has(waId)) this.waIds.set(waId, { id, chat, body });
  }

  private async lookAtCampaigns(world: World): Promise<void> {
    this.campaigns = world.campaigns.length;
    this.running.clear();
    if (world.campaigns.length === 0) return;
    const { rows } = await world.machine.owner.query<{
      id: string;
      status: string;
      running: boolean;
      accepted: number;
    }>(
      `select c.id, c.status, s.running, c.accepted from campaigns c join campaign_sessions s on s.tenant_id = c.tenant_id
        and s.campaign_id = c.id where c.tenant_id = $1`,
      [world.tenantId],
    );
    for (const { id, status, running, accepted } of rows) {
      holds((status === 'running') === running, 'a campaign runs in its sessions exactly while it runs', {
        id,
        status,
      });
      const own = [...this.messages.values()].filter((each) => each.campaign_id === id);
      holds(own.length === accepted, 'a campaign has as many messages as it has accepted', { id, accepted });
      if (running) this.running.add(id);
      const left = own.filter((each) => each.status === 'queued' || each.status === 'sending');
      holds(status !== 'finished' || left.length === 0, 'nothing of a finished campaign is still to be sent', left);
    }
  }

  private compare(row: Seen, events: Noted[]): void {
    const before = this.messages.get(row.id);
    this.messages.set(row.id, row);
    if (row.wa_id !== null && row.direction === 'outbound') this.name(row.wa_id, row);
    if (row.direction === 'inbound') return holds(row.status === 'received', 'what came in stays received', row);
    if (before)
      compareChange(
        before,
        row,
        events.filter(({ message_id: of }) => of === row.id),
      );
    compareMarks(row);
  }

  private compareLane(lane: SeenLane): void {
    this.lane = lane;
    holds(lane.day_sent <= lane.daily_cap, 'the day holds no more than its cap', lane);
    holds(lane.day_firsts <= lane.first_contacts_per_day, 'nor more first contacts', lane);
    if (lane.day !== this.day) [this.day, this.daySent] = [lane.day, 0];
    holds(lane.day_sent === this.daySent, `the day counts what left: ${this.daySent}`, lane);
  }
}

function compareChange(before: Seen, row: Seen, events: Noted[]): void {
  let status = before.status;
  for (const event of events) {
    const allowed = event.status === status || TRANSITIONS[status].includes(event.status);
    holds(allowed, `its history goes from ${status} to ${event.status}`, [before, row]);
    status = event.status;
  }
  holds(status === row.status, `its history ends with ${status}, and its row says ${row.status}`, [before, row]);
  holds(rankOf(row.status) >= rankOf(before.status), 'an ack never goes down', [before, row]);
  const begun = events.filter((event) => event.status === 'sending').length;
  holds(row.attempts === before.attempts + begun, 'each attempt is counted, and in its history', [before, row]);
  if (before.wa_id === null || before.wa_id === row.wa_id) return;
  const refused = before.error_code === 'ACK_ERROR' && row.wa_id_reserved === false;
  const mayRename = !before.wa_id_reserved || refused;
  holds(mayRename && row.wa_id === null && row.status === 'queued', 'a message keeps its reserved id', [before, row]);
}

/** What stands beside a status belongs to it. */
function compareMarks(row: Seen): void {
  holds(row.burned <= row.attempts, 'no more attempts count than there were', row);
  holds(row.settle_at === null || row.status === 'unknown', 'only what is unknown is asked for', row);
  holds(row.ack_due_at === null || row.status === 'sent', 'an ack is awaited only of what is sent', row);
  holds(row.next_attempt_at === null || row.status === 'queued', 'only what is queued waits for a retry', row);
  const rank = row.direction === 'outbound' ? rankOf(row.status) : 0;
  if (row.created_by === null) return; // sent on the phone: its steps may never have been told
  holds(rank === 0 || (row.sent_at !== null && row.delivered_at !== null), 'what is delivered has its times', row);
  holds(rank < 2 || row.read_at !== null, 'what is read has its time', row);
}

const isOver = (time: Date | null, now: number): boolean => time !== null && time.getTime() <= now;

/** Whether it stands in the same line, before it, and nothing was tried with it. */
const isBefore = (other: Seen, row: Seen): boolean =>
  other.status === 'queued' &&
  other.attempts === 0 &&
  other.campaign_id === row.campaign_id &&
  other.urgency === row.urgency &&
  BigInt(other.seq) < BigInt(row.seq);

/** @throws with what was found, unless the rule holds */
export function holds(rule: boolean, what: string, found: unknown): asserts rule {
  if (!rule) throw new Error(`Broken: ${what}\n${JSON.stringify(found, null, 1)}`);
}
