import type { History } from './fill';

/** One request, as it is sent to the short subject (a history of messages, a catalogue of products) and to the long one. */
export interface ListScenario<S> {
  title: string;
  path: (subject: S) => string;
  /** Whether an index leads to exactly its page; else each row on the way is looked at, up to a bound. */
  indexed: boolean;
}

const list = (title: string, query: (history: History) => string, indexed = true): ListScenario<History> => ({
  title: `\`GET /messages\`, ${title}`,
  path: (history) => `/messages?limit=20&${query(history)}`,
  indexed,
});

const stats = (title: string, query: string): ListScenario<History> => ({
  title: `\`GET /messages/stats\`, ${title}`,
  path: () => `/messages/stats?${query}`,
  indexed: true,
});

/** Each filter once for what is common and, where that is found last, once for what is rare and old. */
export const LIST_SCENARIOS: ListScenario<History>[] = [
  list('first page', () => ''),
  list('deep page by cursor', ({ deep }) => `cursor=${deep}`),
  list('counted', () => 'count=true'),
  list('`session_id`', ({ session }) => `session_id=${session}`),
  list('`session_id`, few and old', ({ rareSession }) => `session_id=${rareSession}`),
  list('`chat`', () => 'chat=447700900123'),
  list('`chat`, few and old', () => 'chat=447700900000'),
  list('`status=read`', () => 'status=read'),
  list('`status=queued`, few and old', () => 'status=queued'),
  list('`status=failed`, few and old', () => 'status=failed'),
  list('`direction=inbound`', () => 'direction=inbound'),
  list('`direction=outbound`', () => 'direction=outbound'),
  list('`campaign_id`', ({ campaign }) => `campaign_id=${campaign}`),
  list('`campaign_id`, few and old', ({ rareCampaign }) => `campaign_id=${rareCampaign}`),
  list('`type=image`', () => 'type=image'),
  list('`type=poll`, few and old', () => 'type=poll'),
  list('`from`, `to`', ({ from, to }) => `from=${from}&to=${to}`),
  list('`q`', () => 'q=order+ready'),
  list('`session_id` and `status=read`', ({ session }) => `session_id=${session}&status=read`),
  list('`chat` and `direction`', () => 'chat=447700900123&direction=outbound'),
  list('`status=failed` and `session_id`, few and old', ({ session }) => `status=failed&session_id=${session}`),
  list('`session_id` and `direction`', ({ session }) => `session_id=${session}&direction=inbound`),
  list('`session_id` and `direction`, few and old', ({ listening }) => `session_id=${listening}&direction=outbound`),
  list('`q`, few and old', () => 'q=needle', false),
  stats('of all', ''),
  stats('by hour', 'group_by=hour'),
  stats('by day', 'group_by=day'),
  stats('by session', 'group_by=session'),
  stats('by campaign', 'group_by=campaign'),
  stats('by agent', 'group_by=agent'),
];
