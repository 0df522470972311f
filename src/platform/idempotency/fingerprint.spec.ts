import { fingerprintOf } from './fingerprint';

const KEY = Buffer.alloc(32, 1);
const of = (body: unknown, query = '', contentLength?: string) => fingerprintOf(KEY, { body, query, contentLength });

describe('fingerprintOf', () => {
  it('counts JSON by its content', () => {
    expect(of({ a: 1, b: { c: [1, 2], d: null } })).toBe(of({ b: { d: null, c: [1, 2] }, a: 1 }));
  });

  it.each([
    [{ a: 1 }, { a: '1' }],
    [{ a: [1, 2] }, { a: [2, 1] }],
    [{}, { a: null }],
    [[], {}],
    ['', undefined],
  ])('tells %j from %j', (one, other) => {
    expect(of(one)).not.toBe(of(other));
  });

  it('tells nothing to whoever has not the key', () => {
    const input = { body: { password: 'guess me' }, query: '', contentLength: undefined };
    expect(fingerprintOf(KEY, input)).not.toBe(fingerprintOf(Buffer.alloc(32, 2), input));
  });

  it('counts the query, raw bytes and, for bodies that are not in memory, their length', () => {
    expect(of({}, 'a=1')).not.toBe(of({}, 'a=2'));
    expect(of(Buffer.from('a'))).not.toBe(of(Buffer.from('b')));
    expect(of(undefined, '', '10')).not.toBe(of(undefined, '', '11'));
    expect(of(undefined)).toBe(of(null));
  });
});
