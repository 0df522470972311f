import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { AppError } from '../../common/app-error';
import { CommonErrors } from '../../common/common.errors';
import type { ErrorCode } from '../../common/error-codes';
import { newId } from '../../common/ids';
import type { Pace } from '../../common/pace';
import { currentContext } from '../../platform/context/request-context';
import { Wakeups } from '../../platform/database/wakeups';
import { BulkAcceptor, type BulkOrder, type BulkRow } from '../messages/bulk-acceptor.service';
import { CampaignErrors } from './campaigns.errors';
import { CampaignsRepository, type Intake } from './campaigns.repository';
import { secondsFor } from './estimate';
import type { Recipient, Variables } from './recipients';

/** Messages that are stored at one time. */
const BATCH = 500;
/** Refusals that the answer lists; beyond it they are only counted. */
const LISTED_MAX = 10_000;
/** Recipients of a dry run: it remembers whom it has seen, some 100 bytes each. */
const REHEARSED_MAX = 1_000_000;

/** What is sent to all of them. */
export interface BulkDraft {
  name: string | null;
  templateId: string | null;
  message: Pick<BulkOrder, 'type' | 'content' | 'metadata'>;
  /** The text for one of them; null in what has none. @throws VALIDATION_FAILED for variables that it lacks */
  bodyFor: (variables: Variables) => string | null;
  sessions: readonly { id: string; pace: Pace }[];
  perMinute: number | null;
  scheduledAt: Date | null;
  expiresAt: Date | null;
}

export interface Rejected {
  index: number;
  to: string;
  code: ErrorCode;
  message: string;
}

/** What became of a list of recipients. */
export interface BulkOutcome {
  /** Null of a dry run. */
  campaignId: string | null;
  accepted: number;
  /** Named again, and written to once. */
  folded: number;
  rejected: Rejected[];
  rejectedCount: number;
  /** Of a dry run: about how long it takes to send them, in seconds, Infinity where the pace allows none; else null. */
  seconds: number | null;
}

type Recipients = Iterable<Recipient> | AsyncIterable<Recipient>;

/** Takes in the recipients of a campaign, however many, with constant memory. */
@Injectable()
export class BulkService {
  constructor(
    private readonly acceptor: BulkAcceptor,
    private readonly campaigns: CampaignsRepository,
    private readonly wakeups: Wakeups,
  ) {}

  /**
   * Makes a campaign of them: all that can be written to, or nothing where the list itself breaks off. With an idempotency key
   * a repeated call goes on with the first one's campaign.
   * @throws VALIDATION_FAILED for a list that is none, QUOTA_EXCEEDED where the tenant's day has room for nobody
   */
  async accept(actor: Actor, draft: BulkDraft, recipients: Recipients): Promise<BulkOutcome> {
    const id = currentContext()?.resourceId ?? newId();
    const { name, templateId, message, perMinute, scheduledAt, expiresAt } = draft;
    const sessionIds = draft.sessions.map((session) => session.id);
    const campaign = { id, name, templateId, ...message, sessionIds, perMinute, scheduledAt, expiresAt };
    const intake = newId();
    if (!(await this.campaigns.begin(actor, campaign, intake))) throw CampaignErrors.interrupted();
    const order = {
      ...message,
      campaignId: id,
      intake,
      sessionIds,
      tenantId: actor.tenantId,
      createdBy: actor.id,
      expiresAt,
    };
    try {
      const tally = await this.takeIn(order, draft, recipients);
      return await this.complete(actor, { id, intake }, { draft, tally });
    } catch (error) {
      await this.campaigns.giveUp(actor.tenantId, { id, intake }).catch(() => undefined); // else it is given up by the clock
      throw error;
    }
  }

  /** The same answer without a campaign, of as many as memory has room for. @throws VALIDATION_FAILED beyond a million */
  async rehearse(actor: Actor, draft: BulkDraft, recipients: Recipients): Promise<BulkOutcome> {
    const seen = new Set<string>();
    const tally = newTally();
    const sessionIds = draft.sessions.map(({ id }) => id);
    for await (const rows of this.batches(draft, recipients, tally)) {
      const fresh = rows.filter(({ chat }) => !seen.has(chat));
      const chats = [...new Set(fresh.map(({ chat }) => chat))];
      for (const chat of chats) seen.add(chat);
      if (seen.size > REHEARSED_MAX) throw CampaignErrors.tooManyToRehearse(REHEARSED_MAX);
      tally.strangers += await this.acceptor.strangers(actor.tenantId, sessionIds, chats);
    }
    return outcomeOf(null, { draft, tally, accepted: seen.size });
  }

  private async takeIn(order: BulkOrder, draft: BulkDraft, recipients: Recipients): Promise<Tally> {
    const tally = newTally();
    let turn = 0;
    let storing: Promise<void> = Promise.resolve();
    for await (const rows of this.batches(draft, recipients, tally)) {
      await storing; // one batch is written while the next is read
      storing = this.store(order, { rows, turn, tally });
      storing.catch(() => undefined); // it is awaited below, whatever comes first
      turn += rows.length;
    }
    await storing;
    return tally;
  }

  private async store(order: BulkOrder, { rows, turn, tally }: Batch): Promise<void> {
    const result = await this.acceptor.store(order, rows, turn);
    if (!result) {
      tally.interrupted = true;
      return;
    }
    const turnDown = (places: number[], code: ErrorCode, message: string) => {
      for (const { index, to } of places.flatMap((place) => rows[place] ?? [])) {
        tally.valid -= 1;
        reject(tally, { index, to, code, message });
      }
    };
    turnDown(result.overQuota, 'QUOTA_EXCEEDED', USED_UP);
    turnDown(result.homeless, 'NOT_FOUND', 'The session that it was to be sent from has been deleted');
  }

  private async complete(actor: Actor, taken: Intake, { draft, tally }: Told): Promise<BulkOutcome> {
    const { id } = taken;
    const before = await this.campaigns.findById(actor.tenantId, id);
    if (before) return outcomeOf(id, { draft, tally, accepted: before.accepted }); // a repeated call of one that is complete
    if (tally.valid === 0 && tally.rejected.some(({ code }) => code === 'QUOTA_EXCEEDED'))
      throw new AppError('QUOTA_EXCEEDED', USED_UP);
    if (tally.valid === 0) throw nobody(tally);
    const told = { valid: tally.valid, rejected: tally.rejectedCount };
    const accepted = tally.interrupted ? null : await this.campaigns.complete(actor, taken, told);
    if (accepted === null) throw CampaignErrors.interrupted();
    this.wakeups.wake('lanes');
    return outcomeOf(id, { draft, tally, accepted });
  }

  /** The recipients that can be written to, some at a time; the others are told of in the tally. */
  private async *batches(draft: BulkDraft, recipients: Recipients, tally: Tally): AsyncGenerator<Row[]> {
    let rows: Row[] = [];
    for await (const recipient of recipients) {
      const row = this.rowOf(draft, recipient, tally);
      if (row) rows.push(row);
      if (rows.length < BATCH) continue;
      yield rows;
      rows = [];
    }
    if (rows.length > 0) yield rows;
  }

  private rowOf(draft: BulkDraft, { index, to, variables, fault }: Recipient, tally: Tally): Row | null {
    const chat = fault === undefined ? this.acceptor.chatOf(to) : null;
    const message = fault ?? (chat === null ? NO_RECIPIENT : null);
    try {
      if (message !== null || chat === null) throw CommonErrors.validation([], message ?? NO_RECIPIENT);
      const row = { index, to, chat, body: draft.bodyFor(variables) };
      tally.valid += 1;
      return row;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const said = error.details?.map((detail) => detail.message).join('; ');
      reject(tally, { index, to, code: error.code, message: said || error.message });
      return null;
    }
  }
}

const USED_UP = "The tenant's messages of the day are used up";
const NO_RECIPIENT = 'to must be a phone number with country code or a WhatsApp chat id';

interface Row extends BulkRow {
  index: number;
  to: string;
}

interface Tally {
  /** Entries that can be written to, those named twice included. */
  valid: number;
  strangers: number;
  rejected: Rejected[];
  rejectedCount: number;
  /** Whether the campaign stopped taking in before the end. */
  interrupted: boolean;
}

interface Batch {
  rows: Row[];
  turn: number;
  tally: Tally;
}

interface Told {
  draft: BulkDraft;
  tally: Tally;
}

const newTally = (): Tally => ({ valid: 0, strangers: 0, rejected: [], rejectedCount: 0, interrupted: false });

function reject(tally: Tally, rejected: Rejected): void {
  tally.rejectedCount += 1;
  if (tally.rejected.length < LISTED_MAX) tally.rejected.push(rejected);
}

/** A list in which nobody can be written to makes no campaign. */
const nobody = ({ rejected }: Tally): AppError =>
  CommonErrors.validation(
    rejected.slice(0, 100).map(({ index, message }) => ({ field: `recipients.${index}`, message })),
    'There is nobody to write to',
  );

function outcomeOf(campaignId: string | null, { draft, tally, accepted }: Told & { accepted: number }): BulkOutcome {
  const { rejected, rejectedCount, valid } = tally;
  const folded = Math.max(0, valid - accepted);
  const seconds = campaignId === null ? estimate(draft, { accepted, strangers: tally.strangers }) : null;
  return { campaignId, accepted, folded, rejected, rejectedCount, seconds };
}

/** The sessions send side by side, each its share. */
function estimate(draft: BulkDraft, { accepted, strangers }: { accepted: number; strangers: number }): number {
  const share = (count: number) => Math.ceil(count / draft.sessions.length);
  const load = { messages: share(accepted), firsts: share(strangers), perMinute: draft.perMinute };
  return Math.max(...draft.sessions.map(({ pace }) => secondsFor(load, pace)));
}
