import { parseTimeCursor, timeCursor } from './time-cursor';

describe('a cursor of time and id', () => {
  it('comes back as it went, with its microseconds', () => {
    const cursor = { at: '2026-11-24T23:00:00.123456Z', id: 'cust_001' };
    expect(timeCursor(cursor)).toMatch(/^[\w-]+$/);
    expect(parseTimeCursor(timeCursor(cursor))).toEqual(cursor);
  });

  it.each(['', 'x', '018f0000-0000-7000-8000-000000000000', timeCursor({ at: 'now', id: 'a' })])(
    'is not made of %j',
    (text) => {
      expect(parseTimeCursor(text)).toBeNull();
    },
  );

  it('is none without a real time or without an id', () => {
    expect(parseTimeCursor(timeCursor({ at: '2026-13-24T23:00:00.123456Z', id: 'a' }))).toBeNull();
    expect(parseTimeCursor(timeCursor({ at: '2026-11-24T23:00:00.123456Z', id: '' }))).toBeNull();
    expect(parseTimeCursor(timeCursor({ at: '2026-11-24T23:00:00.123456Z', id: 'a'.repeat(65) }))).toBeNull();
  });
});
