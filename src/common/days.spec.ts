import { dayIn, offsetMinutesIn, secondsLeftOfDay } from './days';

describe('days of a time zone', () => {
  it.each([
    ['UTC', '2026-11-24T23:59:59.999Z', '2026-11-24'],
    ['America/Sao_Paulo', '2026-11-25T02:59:59Z', '2026-11-24'],
    ['America/Sao_Paulo', '2026-11-25T03:00:00Z', '2026-11-25'],
    ['Pacific/Kiritimati', '2026-11-24T10:00:00Z', '2026-11-25'],
    ['Nowhere/At_All', '2026-11-24T23:30:00Z', '2026-11-24'],
  ])('knows the date in %s at %s', (zone, at, day) => {
    expect(dayIn(zone, new Date(at))).toBe(day);
  });

  it.each([
    ['UTC', '2026-11-24T23:00:00Z', 3600],
    ['UTC', '2026-11-24T23:59:59.500Z', 1],
    ['UTC', '2026-11-24T00:00:00Z', 86_400],
    // The clocks go back at 03:00, and forward at 02:00.
    ['Europe/Berlin', '2026-10-24T22:00:00Z', 25 * 3600],
    ['Europe/Berlin', '2026-03-28T23:00:00Z', 23 * 3600],
  ])('counts what is left of the day in %s from %s on', (zone, at, seconds) => {
    expect(secondsLeftOfDay(zone, new Date(at))).toBe(seconds);
  });

  it.each([
    ['UTC', '2026-11-24T12:00:00Z', 0],
    ['America/Sao_Paulo', '2026-11-24T12:00:00Z', -180],
    ['Asia/Kolkata', '2026-11-24T12:00:00Z', 330],
    ['Asia/Kathmandu', '2026-11-24T12:00:00Z', 345],
    ['Europe/Berlin', '2026-07-01T12:00:00Z', 120],
    ['Nowhere/At_All', '2026-11-24T12:00:00Z', 0],
  ])('knows how far the clocks of %s are ahead at %s', (zone, at, minutes) => {
    expect(offsetMinutesIn(zone, new Date(at))).toBe(minutes);
  });
});
