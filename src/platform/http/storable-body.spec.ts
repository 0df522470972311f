import { unstorableField } from './storable-body';

const nested = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);

describe('unstorableField', () => {
  it.each([
    ['nothing', undefined],
    ['null', null],
    ['numbers and booleans', { a: 1, b: [true, null], c: Number.MAX_VALUE, d: -0 }],
    ['emoji, right-to-left text and other control characters', { a: '👩‍👩‍👧 שלום\u0001\u200f\ufffe' }],
    ['60 levels', { a: nested(60) }],
    ['10,000 values side by side', { a: Array.from({ length: 10_000 }, (_, i) => ({ i })) }],
    ['more values side by side than a call takes arguments', { a: Array(300_000).fill(0) }],
  ])('finds none in %s', (_what, body) => {
    expect(unstorableField(body)).toBeNull();
  });

  it.each([
    ['a NUL', { a: { b: ['x', 'y\0'] } }, 'a.b.1'],
    ['the first half of a pair', { a: '\ud83d' }, 'a'],
    ['the second half of a pair', { a: 'x\ude00y' }, 'a'],
    ['a key', { a: { 'b\0': 1 } }, 'a'],
    ['a key at the top', { 'b\0': 1 }, 'body'],
    ['a number beyond a double', { a: { b: JSON.parse('[1, 1e400]') } }, 'a.b.1'],
    ['a number beyond a double on the other side', { a: JSON.parse('-1e400') }, 'a'],
    ['65 levels', { a: nested(65) }, 'a'],
    ['more levels than the stack has', { a: { b: nested(300_000) } }, 'a'],
  ])('finds %s', (_what, body, field) => {
    expect(unstorableField(body)?.field).toBe(field);
  });
});
