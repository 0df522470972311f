import { Injectable } from '@nestjs/common';
import type { Actor } from '../../../common/actor';
import { CommonErrors } from '../../../common/common.errors';
import { BREAKDOWNS } from '../../../platform/database/stats-statements';
import { TenantDirectory } from '../../../platform/http/tenant-directory';
import { readableBy } from '../messages.policy';
import { middleOf } from './delay-histogram';
import {
  type Grouping,
  MessageStatsRepository,
  NOBODY,
  type StatsQuestion,
  type StatsRow,
} from './message-stats.repository';
import { boundsOf, type Piece, piecesOf, type Stretch, wholeQuarters } from './stats-spans';

const DAY_MS = 24 * 3_600_000;
const MAX_GROUPS = 1_000;
/** How long a stretch may be, and is unless somebody says: nobody reads a year by hours. */
const DAYS = { hour: { most: 31, usual: 1 }, day: { most: 366, usual: 30 } } as const;
/** Before there was any message. */
const BEGINNING = new Date('2000-01-01T00:00:00Z');
/** The database's clock may be ahead of ours. */
const CLOCKS_APART_MS = 60_000;

/** How long something took, over so many messages; null where there is none. */
export interface Delay {
  messages: number;
  medianMs: number | null;
  p95Ms: number | null;
}

/** Figures of some messages. */
export interface Figures {
  total: number;
  /** Messages by status; a status that none has is not named. */
  inbound: Record<string, number>;
  outbound: Record<string, number>;
  /** Shares, from 0 to 1, of those that were handed to WhatsApp; null where none was. */
  deliveryRate: number | null;
  readRate: number | null;
  acceptToSent: Delay;
  sentToDelivered: Delay;
}

export interface MessageStats {
  /** What was really counted: whole quarters of an hour. Null: since the beginning. */
  from: Date | null;
  to: Date;
  timeZone: string;
  figures: Figures;
  groups: { key: string | null; figures: Figures }[];
  /** Whether there are more groups. */
  truncated: boolean;
}

/** How many messages there are in which status, and how long they took. */
@Injectable()
export class MessageStatsService {
  constructor(
    private readonly stats: MessageStatsRepository,
    private readonly tenants: TenantDirectory,
  ) {}

  /**
   * Figures of the messages that were accepted or received in that time; an AGENT's own. Groups by time in its order, others by
   * the number of their messages: the first 1,000.
   * @throws VALIDATION_FAILED where the time ends before it begins, or is too long for its hours or days
   */
  async of(actor: Actor, { from, to, groupBy }: { from?: Date; to?: Date; groupBy?: Grouping }): Promise<MessageStats> {
    const timeZone = await this.tenants.timeZoneOf(actor.tenantId);
    const stretch = stretchOf(from, to, groupBy);
    const { createdBy } = readableBy(actor);
    const breakdown = breakdownFor(groupBy, createdBy);
    const pieces = piecesFor({ stretch, groupBy, timeZone, breakdown });
    const question = { stretch, breakdown, pieces, groupBy, timeZone, createdBy, limit: MAX_GROUPS };
    const rows = await this.stats.figures(actor.tenantId, question);
    return {
      from: stretch.from <= BEGINNING ? null : stretch.from,
      to: stretch.to,
      timeZone,
      figures: figuresOf(rows.filter(({ total }) => total)),
      groups: groupsOf(rows, isByTime(groupBy)),
      truncated: (rows[0]?.groups ?? 0) > MAX_GROUPS,
    };
  }
}

const isByTime = (groupBy: Grouping | undefined): groupBy is 'hour' | 'day' => groupBy === 'hour' || groupBy === 'day';

/** The figures that have what is asked for and the least beside it. */
function breakdownFor(groupBy: Grouping | undefined, createdBy: string | undefined): StatsQuestion['breakdown'] {
  if (groupBy === 'session' || groupBy === 'campaign') return groupBy;
  return groupBy === 'agent' || createdBy ? 'agent' : 'all';
}

function piecesFor(question: Pick<StatsQuestion, 'stretch' | 'groupBy' | 'timeZone' | 'breakdown'>): Piece[] {
  const { stretch, groupBy, timeZone, breakdown } = question;
  const spans = BREAKDOWNS[breakdown];
  if (!isByTime(groupBy)) return piecesOf(stretch, spans);
  const longest = groupBy === 'day' ? 1440 : 60;
  const within = spans.filter((span) => span <= longest);
  return piecesOf(stretch, within, boundsOf(groupBy, timeZone, stretch));
}

function stretchOf(from: Date | undefined, to: Date | undefined, groupBy: Grouping | undefined): Stretch {
  const end = to ?? new Date(Date.now() + CLOCKS_APART_MS);
  const byTime = isByTime(groupBy) ? groupBy : undefined;
  const usual = byTime ? new Date(end.getTime() - DAYS[byTime].usual * DAY_MS) : BEGINNING;
  const start = from ?? usual;
  if (from && from >= end) throw CommonErrors.invalidField('to', 'to must be later than from');
  const most = byTime ? DAYS[byTime].most : Infinity;
  if (end.getTime() - start.getTime() > most * DAY_MS)
    throw CommonErrors.invalidField('from', `from must be at most ${most} days before to when grouped by ${byTime}`);
  return wholeQuarters({ from: start < BEGINNING ? BEGINNING : start, to: end });
}

function groupsOf(rows: StatsRow[], byTime: boolean): MessageStats['groups'] {
  const byKey = new Map<string, StatsRow[]>();
  for (const row of rows) {
    if (row.total || row.key === null) continue;
    const same = byKey.get(row.key) ?? [];
    byKey.set(row.key, [...same, row]);
  }
  const groups = [...byKey].map(([key, own]) => ({ key, figures: figuresOf(own) }));
  groups.sort((a, b) => (byTime ? 0 : b.figures.total - a.figures.total) || (a.key < b.key ? -1 : 1));
  return groups.map(({ key, figures }) => ({ key: key === NOBODY ? null : key, figures }));
}

function figuresOf(rows: StatsRow[]): Figures {
  const inbound: Record<string, number> = {};
  const outbound: Record<string, number> = {};
  const counts = rows.filter(({ measure }) => measure !== 'to_sent' && measure !== 'to_delivered');
  for (const { direction, measure, n } of counts) (direction === 'inbound' ? inbound : outbound)[measure] = n;
  const sent = rows.find(({ measure }) => measure === 'to_sent');
  const delivered = rows.find(({ measure }) => measure === 'to_delivered');
  const read = (outbound.read ?? 0) + (outbound.played ?? 0);
  return {
    total: counts.reduce((sum, { n }) => sum + n, 0),
    inbound,
    outbound,
    deliveryRate: rate(read + (outbound.delivered ?? 0), sent?.n),
    readRate: rate(read, sent?.n),
    acceptToSent: delayOf(sent),
    sentToDelivered: delayOf(delivered),
  };
}

const rate = (part: number, whole = 0): number | null => (whole > 0 ? Number((part / whole).toFixed(4)) : null);

const delayOf = ({ timed, median, p95 }: Partial<StatsRow> = {}): Delay => ({
  messages: timed ?? 0,
  medianMs: msOf(median),
  p95Ms: msOf(p95),
});

const msOf = (bucket: number | null = null): number | null => (bucket === null ? null : middleOf(bucket));
