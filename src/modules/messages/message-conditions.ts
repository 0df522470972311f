import { firstIdAt } from '../../common/ids';
import { patternsOf } from './message-walk';
import type { MessageFilter } from './messages.repository';

/** Each filter's condition; only those asked for stand in the text, so that each combination gets a plan of its own. */
const CONDITIONS: Record<Exclude<keyof MessageFilter, 'chat'>, (parameter: string) => string> = {
  sessionId: (p) => `session_id = ${p}::uuid`,
  direction: (p) => `direction = ${p}`,
  status: (p) => `status = ${p}`,
  type: (p) => `type = ${p}`,
  from: (p) => `created_at >= ${p}`,
  to: (p) => `created_at < ${p}`,
  createdBy: (p) => `created_by = ${p}::uuid`,
  campaignId: (p) => `campaign_id = ${p}::uuid`,
  q: (p) => `coalesce(body ilike all (${p}::text[]), false)`,
};

/** Ids grow with the clock of the process that made them, times are the database's: so far apart they may be. */
const CLOCKS_APART_MS = 5 * 60_000;

/** What a list is read from and narrowed by, and the values that its text refers to. */
interface Conditions {
  from: string;
  where: string[];
  params: unknown[];
}

/** The conditions of a list of the tenant's messages. @param chats every id of the filter's chat; none where it names none */
export function conditions(tenantId: string, filter: MessageFilter, chats: readonly string[]): Conditions {
  const params: unknown[] = [tenantId];
  const from =
    chats.length === 0 ? 'messages' : `(${chats.map((chat) => ofChat(params.push(chat))).join(' union all ')}) m`;
  const where = ['tenant_id = $1', ...conditionsOf(filter, params)];
  // The list is read in the order of ids: bounds on them keep a span of time from reading all that is newer.
  const { from: since, to: until } = filter;
  if (since) where.push(`id >= $${params.push(firstIdAt(since.getTime() - CLOCKS_APART_MS))}::uuid`);
  if (until) where.push(`id < $${params.push(firstIdAt(until.getTime() + CLOCKS_APART_MS))}::uuid`);
  return { from, where, params };
}

/** One branch for each id: each is read in the order of the list, however long the chat. */
const ofChat = (parameter: number): string => `select * from messages where tenant_id = $1 and chat = $${parameter}`;

/** The conditions of what is asked for, without its chat; their values go to the end of the parameters. */
export function conditionsOf(filter: MessageFilter, params: unknown[]): string[] {
  return (Object.keys(CONDITIONS) as (keyof typeof CONDITIONS)[]).flatMap((name) => {
    const value = name === 'q' ? patternsOf(filter.q) : filter[name];
    return value === undefined ? [] : CONDITIONS[name](`$${params.push(value)}`);
  });
}
