import {
  MESSAGE_STATUSES,
  type MessageStatus,
  RETRIED,
  RETRIED_BY_FORCE,
  sourcesOf,
  TRANSITIONS,
} from './message-status';

/** Of WhatsApp's own words, from the least to the furthest. */
const ACKS = ['sent', 'delivered', 'read', 'played'] as const;
/** Every status of an outbound message that WhatsApp has said nothing of. */
const OURS = [
  'scheduled',
  'queued',
  'sending',
  'unknown',
  'stalled',
  'failed',
  'cancelled',
  'suppressed',
  'expired',
] as const;

const may = (from: MessageStatus, to: MessageStatus): boolean => TRANSITIONS[from].includes(to);
const pairs = MESSAGE_STATUSES.flatMap((from) => MESSAGE_STATUSES.map((to) => [from, to] as const));

describe('the transition table', () => {
  it('knows every status, names each target once and no status as its own target', () => {
    expect(Object.keys(TRANSITIONS).sort()).toEqual([...MESSAGE_STATUSES].sort());
    for (const targets of Object.values(TRANSITIONS)) expect(new Set(targets).size).toBe(targets.length);
    expect(pairs.filter(([from, to]) => from === to && may(from, to))).toEqual([]);
  });

  it('lets acks go up only: of all pairs of acks exactly those that rise are allowed', () => {
    for (const [i, from] of ACKS.entries())
      for (const [j, to] of ACKS.entries()) expect([from, to, may(from, to)]).toEqual([from, to, j > i]);
  });

  it('lets an ack outrank every end that we wrote ourselves', () => {
    for (const from of OURS) for (const to of ACKS) expect([from, to, may(from, to)]).toEqual([from, to, true]);
  });

  it('lets no ack be undone: from an ack it goes to acks, and from `sent` to an error, or to `stalled` for want of one', () => {
    for (const from of ACKS)
      for (const to of OURS)
        expect([from, to, may(from, to)]).toEqual([from, to, from === 'sent' && ['failed', 'stalled'].includes(to)]);
  });

  it('leads to `queued` by its time, from an attempt whose outcome is known or was settled, and by a retry', () => {
    const retried = [...RETRIED, ...RETRIED_BY_FORCE];
    expect(sourcesOf('queued').sort()).toEqual([...new Set(['scheduled', 'sending', 'unknown', ...retried])].sort());
  });

  it('begins an attempt from `queued` only, and leaves an outcome unknown after an attempt only', () => {
    expect([sourcesOf('sending'), sourcesOf('unknown')]).toEqual([['queued'], ['sending']]);
  });

  it('ends before it has left from what has not left only', () => {
    for (const end of ['suppressed', 'expired'] as const) expect(sourcesOf(end)).toEqual(['scheduled', 'queued']);
    expect(sourcesOf('cancelled')).toEqual(['scheduled', 'queued', 'sending']); // with its session
  });

  it('leaves what was received alone', () => {
    expect([TRANSITIONS.received, sourcesOf('received')]).toEqual([[], []]);
  });
});

describe('sourcesOf', () => {
  it('is the table read the other way', () => {
    for (const [from, to] of pairs) expect([from, to, sourcesOf(to).includes(from)]).toEqual([from, to, may(from, to)]);
  });
});
