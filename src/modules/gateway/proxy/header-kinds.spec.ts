import fc from 'fast-check';
import { readAnswerHead } from './answer-head';
import { HeaderKind, kindOf, namedIn, removeNamed } from './header-kinds';

const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

const randomCase = (name: string): fc.Arbitrary<string> =>
  fc
    .array(fc.boolean(), { minLength: name.length, maxLength: name.length })
    .map((upper) => [...name].map((letter, index) => (upper[index] ? letter.toUpperCase() : letter)).join(''));
const someName = fc.oneof(
  fc.stringMatching(/^x-[a-z]{1,3}$/),
  fc.constantFrom('accept', 'cookie', 'set-cookie', 'etag', 'age', ...HOP_BY_HOP),
);
const header = fc.tuple(someName.chain(randomCase), fc.stringMatching(/^[!-~]{0,8}$/));
const connection = fc
  .array(someName, { maxLength: 3 })
  .map((names): [string, string] => ['Connection', names.join(' , ')]);
const headers = fc.array(fc.oneof({ weight: 5, arbitrary: header }, connection), { maxLength: 30 });

/** What RFC 9110 §7.6.1 leaves of a list of headers, said in the plainest way. */
function endToEnd(list: [string, string][]): [string, string][] {
  const named = list
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => value.toLowerCase().split(','))
    .map((name) => name.trim());
  return list.filter(([name]) => !HOP_BY_HOP.includes(name.toLowerCase()) && !named.includes(name.toLowerCase()));
}

describe('what ends at a hop', () => {
  it('never goes further, whatever else is there, and all else keeps its order', () => {
    fc.assert(
      fc.property(headers, (list) => {
        const raw = list.flat().map((part) => Buffer.from(part, 'latin1'));
        expect(readAnswerHead(raw, 200).headers).toEqual(endToEnd(list).flat());
      }),
    );
  });

  it('is what a Connection names, less what names no header', () => {
    expect(namedIn('close', null)).toBeNull();
    expect(namedIn('Upgrade, keep-alive,, ', null)).toBeNull();
    expect([...(namedIn('Keep-Alive, X-A,x-b', new Set(['x-c'])) ?? [])]).toEqual(['x-c', 'x-a', 'x-b']);
  });

  it('is taken out in place', () => {
    const list = ['X-A', '1', 'x-b', '2', 'x-a', '3', 'X-C', '4'];
    removeNamed(list, new Set(['x-a']));
    expect(list).toEqual(['x-b', '2', 'X-C', '4']);
  });
});

describe('what only the gateway says', () => {
  it.each([
    'X-Forwarded-For',
    'x-forwarded-anything',
    'X-TENANT-ID',
    'x_tenant_id',
    'Forwarded',
    'X-Real-IP',
    'x_real_ip',
  ])('is %s', (name) => {
    expect(kindOf(name)).toBe(HeaderKind.ours);
  });

  it.each(['x_user', 'x-forward', 'tenant-id', 'accept', '__proto__', 'constructor'])('is not %s', (name) => {
    expect(kindOf(name)).toBe(HeaderKind.endToEnd);
  });

  it('is still told apart when very many names were seen', () => {
    for (let i = 0; i < 3000; i += 1) kindOf(`x-${i}`);
    expect([kindOf('x-3001'), kindOf('TRANSFER-encoding')]).toEqual([HeaderKind.endToEnd, HeaderKind.transferEncoding]);
  });
});
