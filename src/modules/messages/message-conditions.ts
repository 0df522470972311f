import { firstIdAt } from '../../common/ids';
import { type MessageFilter, patternsOf } from './message-walk';

/** Each filter's condition; only those asked for stand in the text, so that each combination gets a plan of its own. */
const CONDITIONS: Record<Exclude<keyof MessageFilter, 'chat'>, (parameter: string) => string> = {
  sessionId: (p) => `session_id = ${p}::uuid`,
  direction: (p) => `direction = ${p}`,
  status: (p) => `status = ${p}`,
  type: (p) => `type = ${p}`,
  // The bounds of the ids (see `sourceOf`) say the same: said plainly, the database would count it twice, think that few are left,
  // and read and sort the whole span.
  from: (p) => `case when created_at >= ${p} then true else false end`,
  to: (p) => `case when created_at < ${p} then true else false end`,
  createdBy: (p) => `created_by = ${p}::uuid`,
  campaignId: (p) => `campaign_id = ${p}::uuid`,
  q: (p) => `coalesce(body ilike all (${p}::text[]), false)`,
};

/** Ids grow with the clock of the process that made them, times are the database's: so far apart they may be. */
const CLOCKS_APART_MS = 5 * 60_000;

/** Of what a list is read: what its rows have in common, the condition of each of its parts, and the values that the text refers to. */
interface Source {
  where: string[];
  parts: string[];
  params: unknown[];
}

/** The index of a session has each direction by itself. */
const DIRECTIONS = [`direction = 'inbound'`, `direction = 'outbound'`];

/** The source of the way of a list of the tenant's messages. @param ids every id of the chat that it is narrowed to; none where it is not */
export function sourceOf(tenantId: string, filter: MessageFilter, ids: readonly string[]): Source {
  const params: unknown[] = [tenantId];
  const chats = ids.map((id) => `chat = $${params.push(id)}`);
  const { sessionId, direction, status } = filter;
  const whole = sessionId !== undefined && direction === undefined && status === undefined;
  const where = ['tenant_id = $1', ...conditionsOf(filter, params)];
  // The list is read in the order of ids: bounds on them keep a span of time from reading all that is newer.
  const { from, to } = filter;
  if (from) where.push(`id >= $${params.push(firstIdAt(from.getTime() - CLOCKS_APART_MS))}::uuid`);
  if (to) where.push(`id < $${params.push(firstIdAt(to.getTime() + CLOCKS_APART_MS))}::uuid`);
  return { where, parts: whole ? DIRECTIONS : chats, params };
}

/**
 * The newest so many of the source, in order. Its parts are read each by itself, and no more of each than are wanted of all: so a
 * person of several ids, or a session of both directions, costs no more than a page, however long.
 * @param columns with the id among them
 * @param limit how many, and how many before them are left out
 * @param each how many of each part, where that is not the same
 */
export function rowsOf(columns: string, { where, parts }: Source, limit: string, each = limit): string {
  const select = `select ${columns} from messages where ${where.join(' and ')}`;
  const newest = (most: string): string => `order by id desc limit ${most}`;
  if (parts.length <= 1) return `${[select, ...parts].join(' and ')} ${newest(limit)}`;
  return `${parts.map((part) => `(${select} and ${part} ${newest(each)})`).join(' union all ')} ${newest(limit)}`;
}

/** The conditions of what is asked for, without its chat; their values go to the end of the parameters. */
export function conditionsOf(filter: MessageFilter, params: unknown[]): string[] {
  return (Object.keys(CONDITIONS) as (keyof typeof CONDITIONS)[]).flatMap((name) => {
    const value = name === 'q' ? patternsOf(filter.q) : filter[name];
    return value === undefined ? [] : CONDITIONS[name](`$${params.push(value)}`);
  });
}
