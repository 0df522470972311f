import { editOf, reactionOf, revocationOf } from './message-changes';

const ALICE = '5511888880000@c.us';
const GROUP = '120363000000000001@g.us';
/** WhatsApp's time in whole seconds, and when WAHA told of it. */
const SECONDS = 1_795_199_584;
const TOLD = new Date(SECONDS * 1000 + 879);

describe('an edit', () => {
  const action = { timestamp: SECONDS, body: 'New body', editedMessageId: '3A01' };

  it.each<[string, object, object]>([
    ['NOWEB or GOWS', { id: `false_${ALICE}_3A02` }, { chat: ALICE, fromMe: false, author: null }],
    ['our own', { id: `true_${ALICE}_3EB0` }, { chat: ALICE, fromMe: true, author: null }],
    [
      'a group',
      { id: `false_${GROUP}_3A02_${ALICE}`, participant: '5511888880000@s.whatsapp.net' },
      { chat: GROUP, fromMe: false, author: ALICE },
    ],
    ['the engines’ spelling', { id: 'false_5511888880000@s.whatsapp.net_3A02' }, { chat: ALICE }],
    ['an id that is an object', { id: { _serialized: `false_${ALICE}_3A02` } }, { chat: ALICE }],
  ])('of %s names the message by its bare id', (_what, more, expected) => {
    expect(editOf({ ...action, ...more }, TOLD)).toMatchObject({ waId: '3A01', body: 'New body', ...expected });
  });

  it('of WEBJS is the message itself: when it was sent says nothing of when it was edited', () => {
    const payload = { ...action, id: `false_${ALICE}_3A01`, timestamp: SECONDS - 600 };
    expect(editOf(payload, TOLD)).toMatchObject({ waId: '3A01', at: TOLD });
    expect(editOf({ ...payload, editedMessageId: undefined }, TOLD)).toMatchObject({ waId: '3A01', at: TOLD });
  });

  it.each<[string, unknown, number]>([
    ['of the second in which it was told', SECONDS, SECONDS * 1000 + 879],
    ['long before it was told', SECONDS - 60, (SECONDS - 60) * 1000 + 999],
    ['a little ahead, since clocks differ', SECONDS + 5, (SECONDS + 5) * 1000],
    ['with fractions', SECONDS + 0.123, SECONDS * 1000 + 123],
    ['of next month', SECONDS + 30 * 86_400, TOLD.getTime()],
    ['none', undefined, TOLD.getTime()],
    ['that is no number', 'now', TOLD.getTime()],
  ])('has a time of WhatsApp’s: %s', (_what, timestamp, expected) => {
    expect(editOf({ ...action, id: `false_${ALICE}_3A02`, timestamp }, TOLD)?.at.getTime()).toBe(expected);
  });
});

describe('a revocation', () => {
  const after = { id: `false_${ALICE}_3A02`, timestamp: SECONDS };

  it.each<[string, unknown]>([
    ['by name', { after, before: null, revokedMessageId: '3A01' }],
    ['by what it was before', { after, before: { id: `false_${ALICE}_3A01` } }],
    ['by its whole id', { after, before: null, revokedMessageId: `false_${ALICE}_3A01` }],
    ['by what is left of it', { after: { ...after, id: `false_${ALICE}_3A01` }, before: null }],
    ['without what is left', { after: null, before: { id: `false_${ALICE}_3A01` } }],
  ])('says which message: %s', (_what, payload) => {
    expect(revocationOf(payload, TOLD)).toMatchObject({ waId: '3A01', chat: ALICE, fromMe: false });
  });
});

describe('a reaction', () => {
  const payload = {
    id: 'false_79111111@c.us_11111111111111111111111111111111',
    from: '79111111@c.us',
    fromMe: false,
    participant: '79111111@c.us',
    to: '79111111@c.us',
    timestamp: 1710481111.853,
    reaction: { text: '🙏', messageId: 'true_79111111@c.us_2222' },
  };

  it('is read as WAHA’s documentation shows it', () => {
    expect(reactionOf(payload, TOLD)).toEqual({
      waId: '2222',
      chat: '79111111@c.us',
      fromMe: false,
      author: '79111111@c.us',
      at: new Date(1_710_481_111_853),
      emoji: '🙏',
    });
  });

  it.each([[''], [undefined], [null]])('of %j takes one back', (text) => {
    const { messageId } = payload.reaction;
    expect(reactionOf({ ...payload, reaction: { text, messageId } }, TOLD)?.emoji).toBe('');
  });
});
