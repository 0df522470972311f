import { types } from 'pg';
import { parseTimestamp } from './timestamps';

const ofPg = types.getTypeParser(types.builtins.TIMESTAMPTZ) as (text: string) => unknown;

describe('parseTimestamp', () => {
  it('reads whole milliseconds of a time in UTC', () => {
    expect(parseTimestamp('2026-11-21 07:46:12.888999+00')).toEqual(new Date('2026-11-21T07:46:12.888Z'));
    expect(parseTimestamp('2026-11-21 07:46:12+00')).toEqual(new Date('2026-11-21T07:46:12.000Z'));
  });

  it.each([
    '2026-11-21 07:46:12.8+00',
    '2026-11-21 07:46:12.001+00',
    '2024-02-29 23:59:59.999999+00',
    '1000-01-01 00:00:00+00',
    '9999-12-31 23:59:59.9+00',
    '0044-03-15 00:00:00+00',
    '0044-03-15 00:00:00+00 BC',
    '12026-11-21 07:46:12+00',
    '2026-11-21 07:46:12.888123+05:30',
    '2026-11-21 07:46:12-03',
    'infinity',
    '-infinity',
  ])('reads "%s" as pg does', (text) => {
    expect(parseTimestamp(text)).toEqual(ofPg(text));
  });

  it('reads any time as pg does', () => {
    for (let n = 0; n < 5_000; n += 1) {
      const at = new Date(Math.random() * 4e12).toISOString();
      const micros = String(Math.floor(Math.random() * 1000)).padStart(3, '0');
      const text = `${`${at.slice(0, 10)} ${at.slice(11, 23)}${micros}`.replace(/\.?0+$/, '')}+00`;
      expect(parseTimestamp(text)).toEqual(ofPg(text));
    }
  });
});
