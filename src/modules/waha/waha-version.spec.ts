import { compareVersions } from './waha-version';

describe('compareVersions', () => {
  it.each([
    ['2026.6.1', '2026.6.1', 0],
    ['2026.6', '2026.6.0', 0],
    ['2026.9', '2026.6.1', 1],
    ['2026.10.0', '2026.9.9', 1],
    ['2026.6.10', '2026.6.9', 1],
    ['2026.4.3', '2026.6.1', -1],
    ['2025.12.9', '2026.1.0', -1],
    ['2027', '2026.12.31', 1],
    ['2026.6.1-1', '2026.6.1', 1],
    ['', '2026.6.1', -1],
  ])('of %s and %s is %i', (a, b, sign) => {
    expect(compareVersions(a, b)).toBe(sign);
    expect(compareVersions(b, a)).toBe(sign === 0 ? 0 : -sign);
  });

  it('does not fail on words, which count as nothing', () => {
    expect(compareVersions('2026.6.1-beta', '2026.6.1')).toBe(0);
    expect(compareVersions('unknown', '2026.6.1')).toBe(-1);
  });
});
