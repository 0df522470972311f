import {
  ackStatus,
  chatOf,
  existingNumber,
  me,
  parseMessageId,
  phoneOfHidden,
  sentMessageId,
  sessionInfo,
  wahaMessage,
} from './waha-answers';

const ALICE = '5511888880000@c.us';

describe('parseMessageId', () => {
  it.each([
    [
      `true_${ALICE}_3EB0E8D333AB73FB29EB43`,
      { fromMe: true, chat: ALICE, waId: '3EB0E8D333AB73FB29EB43', participant: null },
    ],
    ['false_5511888880000@s.whatsapp.net_3A01', { fromMe: false, chat: ALICE, waId: '3A01', participant: null }],
    ['false_98765432109876@lid_AC1', { fromMe: false, chat: '98765432109876@lid', waId: 'AC1', participant: null }],
    [`false_120363@g.us_3EB0_${ALICE}`, { fromMe: false, chat: '120363@g.us', waId: '3EB0', participant: ALICE }],
    [
      'true_120363@g.us_3EB0_5511888880000@s.whatsapp.net',
      { fromMe: true, chat: '120363@g.us', waId: '3EB0', participant: ALICE },
    ],
    ['true_120363@g.us_3EB0_1234@lid', { fromMe: true, chat: '120363@g.us', waId: '3EB0', participant: '1234@lid' }],
    [`false_${ALICE}_IN_TEXT_1`, { fromMe: false, chat: ALICE, waId: 'IN_TEXT_1', participant: null }],
    [
      `false_120363@g.us_IN_TEXT_1_${ALICE}`,
      { fromMe: false, chat: '120363@g.us', waId: 'IN_TEXT_1', participant: ALICE },
    ],
  ])('takes %s apart', (id, parts) => {
    expect(parseMessageId(id)).toEqual(parts);
  });

  it.each(['', '3EB0', 'true', 'true_x', 'maybe_x@c.us_3EB0', null, undefined, 7, {}, [`true_${ALICE}_X`]])(
    'takes %j for none',
    (id) => {
      expect(parseMessageId(id)).toBeNull();
    },
  );

  it('takes no longer for what is made to be slow', () => {
    const begun = performance.now();
    parseMessageId(`true_a@c.us_${'_'.repeat(100_000)}@`);
    parseMessageId(`true_a@c.us_${'_@'.repeat(50_000)}_`);
    expect(performance.now() - begun).toBeLessThan(1_000);
  });
});

describe('sentMessageId', () => {
  const NOWEB = {
    key: { remoteJid: '5511888880000@s.whatsapp.net', fromMe: true, id: '3EB0NOWEB' },
    message: {},
    messageTimestamp: '1795199528',
    status: 'PENDING',
  };
  const WEBJS = {
    _data: {},
    id: { fromMe: true, remote: ALICE, id: '3EB0WEBJS', _serialized: `true_${ALICE}_3EB0WEBJS` },
    ack: 0,
  };

  it.each<[string, unknown, string]>([
    ['NOWEB', NOWEB, '3EB0NOWEB'],
    ['NOWEB of a poll', { id: `true_${ALICE}_3EB0POLL`, timestamp: 1 }, '3EB0POLL'],
    ['GOWS', { id: `true_${ALICE}_3EB0GOWS`, _data: {} }, '3EB0GOWS'],
    ['GOWS in a group', { id: `true_120363@g.us_3EB0GOWS_${ALICE}`, _data: {} }, '3EB0GOWS'],
    ['WEBJS', WEBJS, '3EB0WEBJS'],
    ['WEBJS without the serialized form', { id: { id: '3EB0BARE' } }, '3EB0BARE'],
    ['new-message-id', { id: '3EB0NEW' }, '3EB0NEW'],
  ])('reads the answer of %s', (_engine, answer, id) => {
    expect(sentMessageId(answer)).toBe(id);
  });

  it.each([
    null,
    '',
    'text',
    [],
    {},
    { sent: true },
    { id: null },
    { id: '' },
    { id: 7 },
    { key: {} },
    { key: { id: '' } },
  ])('finds none in %j', (answer) => {
    expect(sentMessageId(answer)).toBeNull();
  });
});

describe('wahaMessage', () => {
  const NOWEB_IN = {
    id: `false_${ALICE}_3A01`,
    timestamp: 1795199584,
    from: ALICE,
    fromMe: false,
    source: 'app',
    body: 'Hi',
    hasMedia: false,
    media: null,
    ack: 2,
  };
  const WEBJS_OUT = {
    id: `true_${ALICE}_3EB0`,
    timestamp: 1795199584,
    from: '5511999990000@c.us',
    to: ALICE,
    fromMe: true,
    source: 'api',
    body: 'Hi',
    ack: 3,
  };
  const GOWS_GROUP = {
    id: 'false_120363@g.us_3A02_98765@lid',
    timestamp: 1795199584,
    from: '120363@g.us',
    to: '98765@lid',
    participant: '5511888880000@s.whatsapp.net',
    body: 'Hi',
  };

  it.each<[string, boolean, string, unknown, string | null]>([
    ['NOWEB', false, '98765@lid', { key: { remoteJidAlt: '5511888880000@s.whatsapp.net' } }, ALICE],
    ['NOWEB of our own', true, ALICE, { key: { remoteJidAlt: '98765@lid' } }, '98765@lid'],
    ['an older NOWEB', false, '98765@lid', { key: { senderPn: '5511888880000@s.whatsapp.net' } }, ALICE],
    [
      'an older NOWEB of our own, whose sender we are',
      true,
      '98765@lid',
      { key: { senderPn: '1@s.whatsapp.net' } },
      null,
    ],
    ['GOWS', false, '98765@lid', { Info: { SenderAlt: '5511888880000:12@s.whatsapp.net' } }, ALICE],
    ['GOWS of our own', true, '98765@lid', { Info: { SenderAlt: '1@lid', RecipientAlt: ALICE } }, ALICE],
    ['GOWS, where it knows none', false, '98765@lid', { Info: { SenderAlt: '' } }, null],
    ['WEBJS', false, '98765@lid', { id: {}, from: '98765@lid' }, null],
    ['a group', false, '120363@g.us', { key: { remoteJidAlt: ALICE, participantAlt: ALICE } }, null],
    ['nothing raw', false, '98765@lid', undefined, null],
  ])('reads the other id of the chat from %s', (_engine, fromMe, chat, _data, other) => {
    expect(wahaMessage({ ...NOWEB_IN, id: `${fromMe}_${chat}_3A01`, _data })?.otherId).toBe(other);
  });

  it('takes the chat from the id, whoever `from` and `to` are with the engine', () => {
    expect(wahaMessage(NOWEB_IN)).toMatchObject({
      chat: ALICE,
      fromMe: false,
      author: null,
      status: 'delivered',
      source: 'app',
    });
    expect(wahaMessage(WEBJS_OUT)).toMatchObject({
      chat: ALICE,
      fromMe: true,
      author: null,
      status: 'read',
      source: 'api',
    });
    expect(wahaMessage(GOWS_GROUP)).toMatchObject({ chat: '120363@g.us', author: ALICE, status: null });
    const byIdOnly = { ...GOWS_GROUP, participant: undefined };
    expect(wahaMessage(byIdOnly)?.author).toBe('98765@lid');
    expect(wahaMessage({ ...NOWEB_IN, id: { _serialized: NOWEB_IN.id } })?.waId).toBe('3A01');
  });

  it('reads times in seconds, fractions too, and takes the present for none', () => {
    expect(wahaMessage(NOWEB_IN)?.at).toEqual(new Date(1795199584000));
    expect(wahaMessage({ ...NOWEB_IN, timestamp: '1795199584.5' })?.at).toEqual(new Date(1795199584500));
    for (const timestamp of [undefined, null, 'soon', 0]) {
      const age = Date.now() - (wahaMessage({ ...NOWEB_IN, timestamp })?.at.getTime() ?? 0);
      expect(Math.abs(age)).toBeLessThan(5_000);
    }
  });

  it.each<[string, object, string]>([
    ['text', {}, 'text'],
    ['an image', { hasMedia: true, media: { mimetype: 'image/jpeg' } }, 'image'],
    ['a video', { hasMedia: true, media: { mimetype: 'video/mp4' } }, 'video'],
    ['a voice note', { hasMedia: true, media: { mimetype: 'audio/ogg; codecs=opus' } }, 'voice'],
    ['a document', { hasMedia: true, media: { mimetype: 'application/pdf', filename: 'a.pdf' } }, 'file'],
    ['media that was not downloaded', { hasMedia: true, media: null }, 'file'],
    ['a location', { location: { latitude: 1, longitude: 2 } }, 'location'],
    ['a contact', { vCards: ['BEGIN:VCARD'] }, 'contact'],
    ['an empty list of contacts', { vCards: [] }, 'text'],
  ])('knows %s', (_what, more, type) => {
    expect(wahaMessage({ ...NOWEB_IN, ...more })?.type).toBe(type);
  });

  it('keeps the name and the type of an attachment, and where WAHA has it', () => {
    const media = {
      url: 'http://waha:3000/api/files/x',
      filename: 'a.pdf',
      mimetype: 'application/pdf',
      error: { details: 'x' },
    };
    expect(wahaMessage({ ...NOWEB_IN, hasMedia: true, media })?.media).toEqual({
      url: 'http://waha:3000/api/files/x',
      mimetype: 'application/pdf',
      filename: 'a.pdf',
    });
  });

  it('drops what no database stores', () => {
    expect(wahaMessage({ ...NOWEB_IN, body: 'a\0b\ud83d' })?.body).toBe('ab\ufffd');
    expect(wahaMessage({ ...NOWEB_IN, body: '' })?.body).toBeNull();
  });

  it.each([null, 'x', [], {}, { id: 'x' }, { id: {} }, { body: 'x' }])('is none of %j', (payload) => {
    expect(wahaMessage(payload)).toBeNull();
  });
});

describe('the small readers', () => {
  it('know every ack, and take what they do not know for nothing new', () => {
    expect([-1, 0, 1, 2, 3, 4, 5, '2', null, undefined].map(ackStatus)).toEqual([
      'failed',
      null,
      'sent',
      'delivered',
      'read',
      'played',
      null,
      null,
      null,
      null,
    ]);
  });

  it('rewrite the engine’s own suffix and no other', () => {
    expect(['1@s.whatsapp.net', '1@c.us', '1@lid', 's.whatsapp.net'].map(chatOf)).toEqual([
      '1@c.us',
      '1@c.us',
      '1@lid',
      's.whatsapp.net',
    ]);
  });

  it('read whose phone it is, device number or not, and nobody’s before pairing', () => {
    expect(me({ id: '5511999990000:12@c.us', pushName: 'Shop' })).toEqual({ phone: '5511999990000', pushName: 'Shop' });
    expect([me(null), me(undefined), me({})]).toEqual(Array(3).fill({ phone: null, pushName: null }));
  });

  it('read a session, and nothing of what is none', () => {
    const at = new Date();
    const info = { name: 's', status: 'WORKING', me: { id: '55@c.us', pushName: 'P' }, config: { webhooks: [] } };
    expect(sessionInfo(info, { at, askedMs: 7 })).toEqual({
      name: 's',
      status: 'WORKING',
      at,
      askedMs: 7,
      from: 'answer',
      config: { webhooks: [] },
      phone: '55',
      pushName: 'P',
    });
    for (const answer of [null, '', {}, { name: 's' }, { status: 'WORKING' }])
      expect(sessionInfo(answer, { at, askedMs: 7 })).toBeNull();
  });
});

describe('phoneOfHidden', () => {
  it.each([
    [{ lid: '98765@lid', pn: ALICE }, ALICE],
    [{ lid: '98765@lid', pn: '5511888880000@s.whatsapp.net' }, ALICE],
    [{ lid: '98765@lid', pn: null }, null],
    [null, null],
    ['no', null],
  ])('reads %j', (answer, phone) => {
    expect(phoneOfHidden(answer)).toBe(phone);
  });
});

describe('existingNumber', () => {
  it.each([
    [{ numberExists: true, chatId: ALICE }, ALICE],
    [{ numberExists: true, chatId: '98765@lid', pn: '5511888880000@s.whatsapp.net' }, ALICE],
    [{ numberExists: true, chatId: '98765@lid' }, null],
    [{ numberExists: false }, null],
    [{ numberExists: false, chatId: ALICE }, null],
    [null, null],
  ])('reads %j', (answer, number) => {
    expect(existingNumber(answer)).toBe(number);
  });
});
