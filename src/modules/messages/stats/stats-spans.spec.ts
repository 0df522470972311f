import { longestWithin, piecesOf, type Piece, type Span, wholeQuarters } from './stats-spans';

const stretch = (from: string, to: string) => ({ from: new Date(from), to: new Date(to) });
const told = (pieces: Piece[]) =>
  pieces.map(({ span, from, to }) => `${span} ${from.toISOString().slice(5, 16)} ${to.toISOString().slice(5, 16)}`);

describe('spans', () => {
  it('are as long as they can be, without gap or overlap', () => {
    expect(told(piecesOf(stretch('2026-11-20T22:45:00Z', '2026-11-24T01:15:00Z'), 1440))).toEqual([
      '15 11-20T22:45 11-20T23:00',
      '60 11-20T23:00 11-21T00:00',
      '1440 11-21T00:00 11-24T00:00',
      '60 11-24T00:00 11-24T01:00',
      '15 11-24T01:00 11-24T01:15',
    ]);
    expect(told(piecesOf(stretch('2026-11-20T22:45:00Z', '2026-11-24T01:00:00Z'), 60))).toEqual([
      '15 11-20T22:45 11-20T23:00',
      '60 11-20T23:00 11-24T01:00',
    ]);
    expect(told(piecesOf(stretch('2026-11-20T22:15:00Z', '2026-11-20T22:30:00Z'), 1440))).toEqual([
      '15 11-20T22:15 11-20T22:30',
    ]);
    expect(piecesOf(stretch('2026-11-20T22:15:00Z', '2026-11-20T22:15:00Z'), 1440)).toEqual([]);
  });

  it('cover the quarters that the stretch has a part in', () => {
    const { from, to } = wholeQuarters(stretch('2026-11-20T22:59:59.999Z', '2026-11-20T23:00:00.001Z'));
    expect([from.toISOString(), to.toISOString()]).toEqual(['2026-11-20T22:45:00.000Z', '2026-11-20T23:15:00.000Z']);
  });

  it.each<[string, 'hour' | 'day', Span]>([
    ['UTC', 'day', 1440],
    ['UTC', 'hour', 60],
    ['America/Sao_Paulo', 'day', 60],
    ['Asia/Kolkata', 'day', 15],
    ['Asia/Kathmandu', 'hour', 15],
    // Whole hours in its winter, half ones in its summer.
    ['Australia/Lord_Howe', 'hour', 15],
    // UTC itself in the winter, not in the summer.
    ['Europe/London', 'day', 60],
  ])('lie in no two of the groups of %s by %s', (zone, groupBy, longest) => {
    expect(longestWithin(groupBy, zone, stretch('2026-02-01T00:00:00Z', '2026-06-01T00:00:00Z'))).toBe(longest);
  });
});
