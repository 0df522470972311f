import { aliasOf, type KnownAlias, newsOf, personOf } from './alias-of';

const AT = new Date('2026-11-24T12:00:00Z');
const LATER = new Date('2026-11-24T13:00:00Z');
const PHONE = '5511988880000@c.us';
const SHORT = '551188880000@c.us';
const STRANGER = '5511977770000@c.us';
const HIDDEN = '98765432109876@lid';
const OTHER = '98765432109877@lid';
const GROUP = '120363000000000001@g.us';

const inferred = (alias: string, chat: string, at = AT) => ({ alias, chat, at, named: false });
const named = (alias: string, chat: string, at = AT) => ({ alias, chat, at, named: true });

describe('aliasOf', () => {
  it.each([
    ['the hidden id of a phone', PHONE, HIDDEN, HIDDEN, PHONE],
    ['the hidden id, where that was written to', HIDDEN, PHONE, HIDDEN, PHONE],
    ['the spelling that WhatsApp does not use', PHONE, SHORT, PHONE, SHORT],
    ['of two hidden ids the one that is not used any more', OTHER, HIDDEN, OTHER, HIDDEN],
  ])('is %s', (_what, ours, told, alias, chat) => {
    expect(aliasOf(ours, told, AT)).toEqual(inferred(alias, chat));
  });

  it.each([
    ['the same id', PHONE, PHONE],
    ['another number', PHONE, STRANGER],
    ['numbers that are too short to be told apart', '1234567@c.us', '01234567@c.us'],
    ['a group', GROUP, HIDDEN],
    ['a group that is told', PHONE, GROUP],
    ['what is no person', PHONE, 'status@broadcast'],
  ])('is none for %s', (_what, ours, told) => {
    expect(aliasOf(ours, told, AT)).toBeNull();
  });
});

describe('personOf', () => {
  it('takes a hidden id and a phone', () => {
    expect([personOf(HIDDEN, PHONE, AT), personOf(PHONE, HIDDEN, AT)]).toEqual([
      named(HIDDEN, PHONE),
      named(HIDDEN, PHONE),
    ]);
  });

  it('takes nothing else', () => {
    const others = [personOf(HIDDEN, null, AT), personOf(PHONE, SHORT, AT), personOf(GROUP, HIDDEN, AT)];
    expect(others).toEqual([null, null, null]);
  });
});

describe('newsOf', () => {
  const known = (...aliases: [alias: string, chat: string][]): Map<string, KnownAlias> =>
    new Map(aliases.map(([alias, chat]) => [alias, { chat, told_at: AT }]));

  it.each([
    ['what nobody knew', named(HIDDEN, PHONE), known(), named(HIDDEN, PHONE)],
    ['nothing of what is known', named(HIDDEN, PHONE, LATER), known([HIDDEN, PHONE]), null],
    ['where the other spelling leads', named(HIDDEN, PHONE), known([PHONE, SHORT]), named(HIDDEN, SHORT)],
    [
      'nothing of what is known by another spelling',
      named(HIDDEN, PHONE),
      known([PHONE, SHORT], [HIDDEN, SHORT]),
      null,
    ],
    ['nothing that leads back', inferred(SHORT, PHONE), known([PHONE, SHORT]), null],
    ['that both spellings are one', named(HIDDEN, SHORT, LATER), known([HIDDEN, PHONE]), named(PHONE, SHORT, LATER)],
    ['the same where ours is the other one', inferred(HIDDEN, PHONE), known([HIDDEN, SHORT]), inferred(PHONE, SHORT)],
    [
      'the new number of somebody',
      named(HIDDEN, STRANGER, LATER),
      known([HIDDEN, PHONE]),
      named(HIDDEN, STRANGER, LATER),
    ],
    ['nothing of an old one', named(HIDDEN, STRANGER, AT), known([HIDDEN, PHONE]), null],
    ['nothing of a new one that nobody named', inferred(HIDDEN, STRANGER, LATER), known([HIDDEN, PHONE]), null],
  ])('tells %s', (_what, told, before, news) => {
    expect(newsOf(told, before)).toEqual(news);
  });
});
