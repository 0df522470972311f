import type { AppError } from '../../common/app-error';
import { contentOf, MEDIA_TYPES, type MediaDraft } from './message-content';
import { timesOf } from './message-times';

/** The field that is named when it is refused. */
const faultOf = (work: () => unknown): string | undefined => {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as AppError).details?.[0]?.field;
  }
};

const parts = {
  text: 'Hello',
  location: { latitude: 1, longitude: 2 },
  contact: { full_name: 'Ada', phone_number: '+44 20 7946 0958' },
  poll: { name: 'When?', options: ['a', 'b'] },
};
const PLAIN_TYPES = Object.keys(parts) as (keyof typeof parts)[];

describe('contentOf', () => {
  it.each(PLAIN_TYPES)('takes a message by its one field, and keeps it: %s', (type) => {
    const { type: found, body, content } = contentOf({ [type]: parts[type] }, undefined);
    expect(found).toBe(type);
    expect([body, ...Object.values(content)]).toContainEqual(parts[type]);
    expect(contentOf({ [type]: parts[type] }, type).type).toBe(type);
  });

  it('refuses none, several, and another one than the type names', () => {
    expect(faultOf(() => contentOf({}, undefined))).toBe('text');
    expect(faultOf(() => contentOf({}, 'poll'))).toBe('poll');
    for (const type of PLAIN_TYPES)
      for (const other of PLAIN_TYPES.filter((each) => each !== type)) {
        expect(faultOf(() => contentOf({ [type]: parts[type] }, other))).toBe(other);
        expect(faultOf(() => contentOf({ [type]: parts[type], [other]: parts[other] }, type))).toBeDefined();
      }
  });

  it.each(['none', '12', '5511888880000@c.us'])('refuses a card whose number is "%s"', (phone_number) => {
    expect(faultOf(() => contentOf({ contact: { full_name: 'Ada', phone_number } }, undefined))).toBe(
      'contact.phone_number',
    );
  });
});

describe('contentOf a file', () => {
  const url = 'https://example.com/a.png';
  const mediaOf = (media: MediaDraft) => contentOf({ media }, 'image');

  it.each(MEDIA_TYPES)('needs its type, and waits to be fetched: %s', (type) => {
    const media = { state: 'pending', url, filename: null, mime_type: null, size: null };
    expect(contentOf({ media: { url } }, type)).toEqual({ type, body: null, content: { media } });
    expect(faultOf(() => contentOf({ text: 'Hello' }, type))).toBe('media');
    expect(faultOf(() => contentOf({}, type))).toBe('media');
    expect(faultOf(() => contentOf({ text: 'Hello', media: { url } }, type))).toBe('media');
  });

  it('is refused without a type, and with that of something else', () => {
    expect(faultOf(() => contentOf({ media: { url } }, undefined))).toBe('type');
    for (const type of PLAIN_TYPES) expect(faultOf(() => contentOf({ media: { url } }, type))).toBe('type');
  });

  it('has its caption as its text, but for voices, which have none', () => {
    expect(mediaOf({ url, caption: 'Look', filename: 'b.png' })).toMatchObject({
      ...{ body: 'Look', content: { media: { filename: 'b.png' } } },
    });
    expect(faultOf(() => contentOf({ media: { url, caption: 'Listen' } }, 'voice'))).toBe('media.caption');
  });
});

describe('timesOf', () => {
  const now = new Date('2026-11-24T12:00:00Z');
  const at = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);
  const fault = (scheduledAt?: Date, expiresAt?: Date) => faultOf(() => timesOf({ scheduledAt, expiresAt }, now));

  it('takes a schedule up to a year ahead, or past, and an expiry after both it and now', () => {
    expect(timesOf({ scheduledAt: undefined, expiresAt: undefined }, now)).toEqual({
      scheduledAt: null,
      expiresAt: null,
    });
    expect([fault(at(-5)), fault(at(366 * 86_400)), fault(undefined, at(1)), fault(at(5), at(6))]).toEqual(
      Array(4).fill(undefined),
    );
  });

  it('refuses what can never be sent', () => {
    expect(fault(at(366 * 86_400 + 1))).toBe('scheduled_at');
    expect([fault(undefined, at(0)), fault(at(5), at(5)), fault(at(-9), at(-5))]).toEqual(Array(3).fill('expires_at'));
  });
});
