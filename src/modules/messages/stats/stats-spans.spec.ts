import { dayIn, offsetMinutesIn } from '../../../common/days';
import { BREAKDOWNS } from '../../../platform/database/stats-statements';
import { boundsOf, piecesOf, type Piece, type Stretch, wholeQuarters } from './stats-spans';

const QUARTER_MS = 15 * 60_000;
const ALL = BREAKDOWNS.all;
const stretch = (from: string, to: string): Stretch => ({ from: new Date(from), to: new Date(to) });
const upTo = (longest: number): number[] => ALL.filter((span) => span <= longest);
const told = (pieces: Piece[]) =>
  pieces.map(({ span, from, to }) => `${span} ${from.toISOString().slice(5, 16)} ${to.toISOString().slice(5, 16)}`);

describe('spans', () => {
  it('are as long as they can be, without gap or overlap', () => {
    expect(told(piecesOf(stretch('2026-11-20T22:45:00Z', '2026-11-24T04:15:00Z'), upTo(1440)))).toEqual([
      '15 11-20T22:45 11-20T23:00',
      '60 11-20T23:00 11-21T00:00',
      '1440 11-21T00:00 11-24T00:00',
      '180 11-24T00:00 11-24T03:00',
      '60 11-24T03:00 11-24T04:00',
      '15 11-24T04:00 11-24T04:15',
    ]);
    expect(told(piecesOf(stretch('2026-11-20T22:45:00Z', '2026-11-24T04:15:00Z'), BREAKDOWNS.session))).toEqual([
      '15 11-20T22:45 11-21T00:00',
      '1440 11-21T00:00 11-24T00:00',
      '180 11-24T00:00 11-24T03:00',
      '15 11-24T03:00 11-24T04:15',
    ]);
    expect(told(piecesOf(stretch('2026-11-20T22:45:00Z', '2026-11-24T01:00:00Z'), upTo(60)))).toEqual([
      '15 11-20T22:45 11-20T23:00',
      '60 11-20T23:00 11-24T01:00',
    ]);
    expect(told(piecesOf(stretch('2026-11-20T22:15:00Z', '2026-11-20T22:30:00Z'), ALL))).toEqual([
      '15 11-20T22:15 11-20T22:30',
    ]);
    expect(piecesOf(stretch('2026-11-20T22:15:00Z', '2026-11-20T22:15:00Z'), ALL)).toEqual([]);
  });

  it('cover the quarters that the stretch has a part in', () => {
    const { from, to } = wholeQuarters(stretch('2026-11-20T22:59:59.999Z', '2026-11-20T23:00:00.001Z'));
    expect([from.toISOString(), to.toISOString()]).toEqual(['2026-11-20T22:45:00.000Z', '2026-11-20T23:15:00.000Z']);
  });

  it('are few for the days of a time zone, and of the length that its days allow', () => {
    const november = stretch('2026-11-01T00:00:00Z', '2026-12-01T00:00:00Z');
    const daysOf = (zone: string) => piecesOf(november, upTo(1440), boundsOf('day', zone, november));
    expect(told(daysOf('UTC'))).toEqual(['1440 11-01T00:00 12-01T00:00']);
    expect(told(daysOf('America/Sao_Paulo'))).toEqual(['180 11-01T00:00 12-01T00:00']);
    expect(told(daysOf('Asia/Kolkata')).slice(0, 5)).toEqual([
      '180 11-01T00:00 11-01T18:00',
      '15 11-01T18:00 11-01T19:00',
      '60 11-01T19:00 11-01T21:00',
      '180 11-01T21:00 11-02T18:00',
      '15 11-02T18:00 11-02T19:00',
    ]);
    const hours = piecesOf(november, upTo(60), boundsOf('hour', 'Europe/Berlin', november));
    expect(told(hours)).toEqual(['60 11-01T00:00 12-01T00:00']);
  });

  // Whole hours, half and quarter ones; clocks that change by an hour, by half of one, at midnight; a day that there was not.
  it.each<[string, string, string]>([
    ['UTC', '2026-03-01', '2026-03-20'],
    ['America/Sao_Paulo', '2018-10-20', '2018-11-20'],
    ['Asia/Kolkata', '2026-03-01', '2026-03-20'],
    ['Asia/Kathmandu', '2026-03-01', '2026-03-20'],
    ['Australia/Lord_Howe', '2026-03-25', '2026-04-15'],
    ['Europe/London', '2026-03-20', '2026-04-10'],
    ['America/St_Johns', '2026-10-25', '2026-11-10'],
    ['America/Havana', '2026-03-01', '2026-03-20'],
    ['Pacific/Apia', '2011-12-20', '2012-01-10'],
  ])('lie in no two hours and no two days of %s, and are all of the time', (zone, first, last) => {
    for (let round = 0; round < 8; round += 1) {
      const length = Date.parse(last) - Date.parse(first);
      const at = (share: number) => new Date(Date.parse(first) + share * length);
      const asked = wholeQuarters({ from: at(Math.random() / 2), to: at(0.5 + Math.random() / 2) });
      for (const unit of ['hour', 'day'] as const) {
        const pieces = piecesOf(asked, upTo(unit === 'day' ? 1440 : 60), boundsOf(unit, zone, asked));
        let from = asked.from.getTime();
        for (const piece of pieces) {
          expect(piece.from.getTime()).toBe(from);
          expect([(from / 60_000) % piece.span, (piece.to.getTime() / 60_000) % piece.span]).toEqual([0, 0]);
          from = piece.to.getTime();
          expect(straddles(piece, unit, zone)).toEqual([]);
        }
        expect(from).toBe(asked.to.getTime());
      }
    }
  });
});

/** Spans of the piece that have quarters of two hours, or days, in them. */
function straddles({ span, from, to }: Piece, unit: 'hour' | 'day', zone: string): string[] {
  const found: string[] = [];
  for (let at = from.getTime(); at < to.getTime(); at += span * 60_000) {
    const groups = new Set<string>();
    for (let quarter = at; quarter < at + span * 60_000; quarter += QUARTER_MS)
      groups.add(groupOf(new Date(quarter), unit, zone));
    if (groups.size > 1) found.push(new Date(at).toISOString());
  }
  return found;
}

function groupOf(at: Date, unit: 'hour' | 'day', zone: string): string {
  if (unit === 'day') return dayIn(zone, at);
  const offset = offsetMinutesIn(zone, at);
  return `${Math.floor((at.getTime() / 60_000 + offset) / 60)} ${offset}`;
}
