import fc from 'fast-check';
import { DEFAULT_PACE, type Pace } from '../../common/pace';
import { type Load, secondsFor } from './estimate';

const DAY_S = 86_400;

const paces = fc
  .record({
    per_minute: fc.integer({ min: 1, max: 60_000 }),
    daily_cap: fc.integer({ min: 1, max: 1_000_000 }),
    first_contacts_per_day: fc.integer({ min: 0, max: 1_000_000 }),
  })
  .map((change): Pace => ({ ...DEFAULT_PACE, ...change }));

const loads = fc
  .record({
    messages: fc.nat({ max: 3_000_000 }),
    strangers: fc.double({ min: 0, max: 1, noNaN: true }),
    perMinute: fc.option(fc.integer({ min: 1, max: 60_000 })),
  })
  .map(({ messages, strangers, perMinute }): Load => ({
    messages,
    firsts: Math.floor(messages * strangers),
    perMinute,
  }));

const rateOf = ({ perMinute }: Load, pace: Pace): number => Math.min(pace.per_minute, perMinute ?? Infinity);

describe('secondsFor', () => {
  it('reckons with the minute, the day and its tenth for replies, and first contacts', () => {
    const load = { messages: 1_000, firsts: 0, perMinute: null };
    expect(secondsFor({ ...load, messages: 0 }, DEFAULT_PACE)).toBe(0);
    expect(secondsFor({ ...load, messages: 900 }, DEFAULT_PACE)).toBe(45 * 60);
    expect(secondsFor(load, DEFAULT_PACE)).toBe(DAY_S + 5 * 60);
    expect(secondsFor({ ...load, messages: 60, firsts: 51 }, DEFAULT_PACE)).toBe(DAY_S + 3);
    expect(secondsFor({ ...load, firsts: 1 }, { ...DEFAULT_PACE, first_contacts_per_day: 0 })).toBe(Infinity);
    expect(
      secondsFor(
        { ...load, messages: 2 * DAY_S, perMinute: 60 },
        { ...DEFAULT_PACE, per_minute: 60, daily_cap: 200_000 },
      ),
    ).toBe(2 * DAY_S);
  });

  it('never says less than the rate, the caps and common sense allow', () => {
    fc.assert(
      fc.property(loads, paces, (load, pace) => {
        const seconds = secondsFor(load, pace);
        expect(seconds).toBeGreaterThanOrEqual((load.messages * 60) / rateOf(load, pace) - 1e-6);
        const perDay = pace.daily_cap - Math.floor(pace.daily_cap / 10);
        expect(seconds).toBeGreaterThanOrEqual((Math.ceil(load.messages / perDay) - 1) * DAY_S);
        const firstsDays = Math.ceil(load.firsts / pace.first_contacts_per_day || 0);
        expect(seconds).toBeGreaterThanOrEqual((firstsDays - 1) * DAY_S);
      }),
    );
  });

  it('is longer for more, and shorter for a faster pace', () => {
    fc.assert(
      fc.property(loads, paces, fc.nat({ max: 10_000 }), (load, pace, more) => {
        const seconds = secondsFor(load, pace);
        const noShorter = [
          secondsFor({ ...load, messages: load.messages + more }, pace),
          secondsFor({ ...load, messages: load.messages + more, firsts: load.firsts + more }, pace),
        ];
        const noLonger = [
          secondsFor(load, { ...pace, per_minute: pace.per_minute + more }),
          secondsFor(load, { ...pace, daily_cap: pace.daily_cap + more }),
          secondsFor(load, { ...pace, first_contacts_per_day: pace.first_contacts_per_day + more }),
          secondsFor({ ...load, perMinute: null }, pace),
        ];
        for (const other of noShorter) expect(other).toBeGreaterThanOrEqual(seconds - 1e-6);
        for (const other of noLonger) expect(other).toBeLessThanOrEqual(seconds + 1e-6);
      }),
    );
  });
});
