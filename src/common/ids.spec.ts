import { version } from 'uuid';
import { isId, newId } from './ids';

describe('newId', () => {
  afterEach(() => jest.restoreAllMocks());

  it('makes UUIDv7 that carry their time', () => {
    const before = Date.now();
    const id = newId();
    expect(isId(id)).toBe(true);
    expect(version(id)).toBe(7);
    const atMs = parseInt(id.replace('-', '').slice(0, 12), 16);
    expect(atMs).toBeGreaterThanOrEqual(before);
    expect(atMs).toBeLessThanOrEqual(Date.now() + 1);
  });

  it('grows with each id, within a millisecond too', () => {
    const ids = Array.from({ length: 20_000 }, newId);
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('grows when the clock is set back', () => {
    const before = newId();
    jest.spyOn(Date, 'now').mockReturnValue(Date.now() - 60_000);
    expect(newId() > before).toBe(true);
  });

  it('differs in its random part from id to id', () => {
    const tails = Array.from({ length: 1_000 }, () => newId().slice(-8));
    expect(new Set(tails).size).toBeGreaterThan(990);
  });
});
