import fc from 'fast-check';
import { PatternError, RoutePattern } from './route-pattern';

/** The design's table of patterns that bring a backtracking engine to a standstill, and some that trouble automata. */
const CATASTROPHIC = [
  ...['^(a+)+$', '^/api/([a-z]+/?)*$', '.*.*.*=.*$', '^/a.*b.*c.*d$', '\\s+$', '(a|aa)+', '(?:a?){50}a{50}'],
  ...['[ab]*a[ab]{50}', '(.*)(.*)(.*)(.*)(.*)x', '([a-z]+)*=', '^(([a-z])+.)+[A-Z]([a-z])+$', '(x+x+)+y'],
];
const LONG = ['a', 'ab', 'a/', '/api/', 'x', '.', 'a=', ' ', '%20'].map((part) => part.repeat(2_048).slice(0, 2_048));

describe('RoutePattern', () => {
  it.each(CATASTROPHIC)('%s comes to an end on whatever path of 2 KiB', (text) => {
    const pattern = new RoutePattern(text);
    const outcomes = LONG.flatMap((path) => [path, `/${path.slice(1)}`, `${path.slice(1)}!`]).map((path) =>
      pattern.matches(path),
    );
    expect(outcomes).toHaveLength(3 * LONG.length);
  });

  it.each([
    ['(?=a)b', 'no lookaround'],
    ['(?<=a)b', 'no lookaround'],
    ['(?!a)b', 'no lookaround'],
    ['(a)\\1', 'no back-references'],
    ['(', 'missing closing'],
    ['a**', 'RE2'],
    ['[z-a]', 'RE2'],
    ['(?:a?){200}a{200}', 'further than 50'],
    ['a{51,}', 'further than 50'],
    ['a{1,51}', 'further than 50'],
    ['(x{50}){50}', 'RE2'],
    ['a)|(?:b', 'RE2'],
    ['a\\Q', 'RE2'],
    ['/é', 'printable ASCII'],
    ['/a\n', 'printable ASCII'],
    ['', 'printable ASCII'],
    ['a'.repeat(257), '256 characters'],
  ])('refuses %j and says why', (text, why) => {
    expect(() => new RoutePattern(text)).toThrow(PatternError);
    expect(() => new RoutePattern(text)).toThrow(why);
  });

  it('matches the whole path or nothing, whatever the pattern says itself', () => {
    const matches = (text: string, path: string) => new RoutePattern(text).matches(path);
    expect(matches('/a', '/a')).toBe(true);
    for (const path of ['/ab', '/a/', 'x/a', '/a\n']) expect([path, matches('/a', path)]).toEqual([path, false]);
    expect([matches('^/a$', '/a'), matches('^/a|b$', '/a'), matches('^/a|b$', 'b'), matches('^/a|b$', '/ax')]).toEqual([
      ...[true, true, true, false],
    ]);
    expect([matches('(?m)^/a$', '/a'), matches('(?m)^/a$', '/a\n/a'), matches('(?i)/A', '/a')]).toEqual([
      true,
      false,
      true,
    ]);
    expect(matches('a{50}', 'a'.repeat(50))).toBe(true);
  });

  it('finds the literal beginning, and none where there may be another', () => {
    const literal = (text: string) => new RoutePattern(text).literal;
    expect(['^/api/v1/.*', '/api\\.v1/(a|b)', '/ap?i', '/a|/b', '(?i)/api', '.*', '^*a'].map(literal)).toEqual([
      ...['/api/v1/', '/api.v1/', '/a', '/', '/', '', ''],
    ]);
  });

  it('agrees with an engine that backtracks, literal beginnings included', () => {
    const atom = fc.constantFrom(
      'a',
      'b',
      '/',
      '.',
      '[ab]',
      '[^/]',
      'a*',
      '/?',
      '(a|b)',
      '(?:/a)+',
      'ab',
      '\\.',
      '(/b)?',
      'a{2}',
    );
    const text = fc.array(atom, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(''));
    const either = fc.tuple(text, fc.option(text)).map(([one, other]) => (other === null ? one : `${one}|${other}`));
    const path = fc.array(fc.constantFrom('a', 'b', '/', '.'), { maxLength: 8 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(either, fc.array(path, { minLength: 1, maxLength: 8 }), (pattern, paths) => {
        const ours = new RoutePattern(pattern);
        const theirs = new RegExp(`^(?:${pattern})$`);
        for (const each of paths) {
          expect([each, ours.matches(each)]).toEqual([each, theirs.test(each)]);
          expect(ours.groupsOf(each)).toEqual(theirs.exec(each)?.map((group) => group ?? '') ?? null);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('counts as little work what has but one way through it', () => {
    const work = (text: string) => new RoutePattern(text).work;
    for (const text of ['/users/(\\d+)/orders/([^/]+)', '/v[0-9]+/item7', '/api/(v1|v2)/.*'])
      expect([text, work(text)]).toEqual([text, 2]);
    expect(work('(a+)+')).toBeGreaterThan(2);
    expect(work('(?:a?){50}a{50}')).toBeGreaterThan(100);
  });
});
