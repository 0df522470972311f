import { failureOf } from './upstream-call';

const coded = (code?: string): Error => Object.assign(new Error('x'), { code });

describe('failureOf', () => {
  it.each([
    ...['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS'].map((code) => [code, 'exhausted'] as const),
    ...['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENOTFOUND', undefined].map(
      (code) => [code, 'unreachable'] as const,
    ),
    ...['ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT'].map((code) => [code, 'timeout'] as const),
    ['EGRESS_REFUSED', 'refused'],
    ['HPE_INVALID_CONSTANT', 'broken'],
    ['UND_ERR_INVALID_ARG', null],
  ] as const)('takes %s for %s', (code, failure) => {
    expect(failureOf(coded(code))).toBe(failure);
  });
});
