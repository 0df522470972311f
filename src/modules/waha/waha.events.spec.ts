import { parseEnvelope, parseEvent } from './waha.events';

const ALICE = '5511888880000@c.us';
const AT = 1795199584879;

const eventOf = (event: string, payload: unknown, more: object = {}) =>
  parseEvent(JSON.stringify({ id: 'evt_1', event, session: 's', timestamp: AT, payload, ...more }));

describe('parseEvent', () => {
  it('reads a state with whose phone it is and WAHA’s own time', () => {
    const more = { me: { id: '5511999990000@c.us', pushName: 'Shop' } };
    expect(eventOf('session.status', { name: 's', status: 'WORKING' }, more)).toEqual({
      kind: 'session.status',
      status: 'WORKING',
      at: new Date(AT),
      from: 'event',
      phone: '5511999990000',
      pushName: 'Shop',
    });
    expect(eventOf('session.status', { status: 'SCAN_QR_CODE' }, { me: null })).toMatchObject({ phone: null });
    expect(eventOf('session.status', { status: 'X'.repeat(500) })).toMatchObject({ status: 'X'.repeat(64) });
  });

  it.each(['message', 'message.any'])('reads the message of %s', (event) => {
    expect(eventOf(event, { id: `false_${ALICE}_3A01`, body: 'Hi' })).toMatchObject({
      kind: 'message',
      message: { waId: '3A01', chat: ALICE, body: 'Hi' },
    });
  });

  it.each(['message.ack', 'message.ack.group'])('reads %s by the bare id, with the event’s time', (event) => {
    expect(eventOf(event, { id: `true_120363@g.us_3EB0_${ALICE}`, ack: 3 })).toEqual({
      kind: 'ack',
      waId: '3EB0',
      chat: '120363@g.us',
      status: 'read',
      at: new Date(AT),
    });
  });

  it.each<[string, unknown]>([
    ['message.edited', { id: `false_${ALICE}_X`, editedMessageId: '3A01', body: '' }],
    ['message.edited', { editedMessageId: '3A01', body: 'no chat' }],
    ['message.revoked', { revokedMessageId: '3A01' }],
    ['message.revoked', { revokedMessageId: '3A01', after: { id: 'some-id-here' }, before: null }],
    ['message.reaction', { id: `false_${ALICE}_X` }],
    ['message.reaction', { id: `false_${ALICE}_X`, reaction: { text: '👍' } }],
    ['message.reaction', { id: `false_${ALICE}_X`, reaction: { text: 'x'.repeat(65), messageId: '3A01' } }],
    ['session.status', {}],
    ['session.status', { status: 7 }],
    ['message', {}],
    ['message.any', null],
    ['message.ack', { ack: 2 }],
    ['message.ack', { id: `false_${ALICE}_X`, ack: 2 }],
    ['message.ack', { id: `true_${ALICE}_X`, ack: 0 }],
    ['message.ack', { id: `true_${ALICE}_X`, ack: 7 }],
    ['presence.update', { id: ALICE }],
    ['', {}],
  ])('ignores %s of %j, and says why', (event, payload) => {
    expect(eventOf(event, payload)).toEqual({ kind: 'ignored', reason: expect.stringMatching(/.{8}/) });
  });

  it('takes the present where there is no time', () => {
    const event = eventOf('session.status', { status: 'WORKING' }, { timestamp: 'soon' });
    expect(event.kind === 'session.status' && Math.abs(Date.now() - event.at.getTime())).toBeLessThan(5_000);
  });
});

describe('parseEnvelope', () => {
  const envelope = (change: object) => JSON.stringify({ id: 'evt_1', event: 'message', session: 's', ...change });

  it('reads what the door must know', () => {
    expect(parseEnvelope(envelope({}))).toMatchObject({ id: 'evt_1', event: 'message', session: 's' });
    expect(parseEnvelope(envelope({ id: 'e'.repeat(128), event: 'e'.repeat(64) }))).not.toBeNull();
  });

  it.each([
    '',
    '{',
    'null',
    '[]',
    '7',
    '{}',
    envelope({ id: undefined }),
    envelope({ id: '' }),
    envelope({ id: 7 }),
    envelope({ id: 'e'.repeat(129) }),
    envelope({ event: 'e'.repeat(65) }),
    envelope({ session: ['s'] }),
    envelope({ session: 'a\0b' }),
    envelope({ session: 'a b' }),
    envelope({ event: 'message\n' }),
    envelope({ id: '\ud83d' }),
  ])('takes %j for none', (body) => {
    expect(parseEnvelope(body)).toBeNull();
  });
});
