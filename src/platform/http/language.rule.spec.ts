import { canonicalLanguage } from './language.rule';

describe('canonicalLanguage', () => {
  it.each([
    ['en', 'en'],
    ['PT-br', 'pt-BR'],
    ['ZH-HANT-tw', 'zh-Hant-TW'],
    ['es-419', 'es-419'],
    ['iw', 'he'],
  ])('spells %s as %s', (tag, canonical) => expect(canonicalLanguage(tag)).toBe(canonical));

  it.each(['', ' en', 'en_US', 'e', 'english language', 'en-', 'x', '12', `en-${'abcdefgh-'.repeat(4)}x`])(
    'knows none in "%s"',
    (tag) => expect(canonicalLanguage(tag)).toBeNull(),
  );
});
