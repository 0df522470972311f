import { newChatsClosedUntil } from './new-chats';

const SECONDS = Math.floor(Date.now() / 1_000);
const lock = (isActive: boolean, ends: unknown = SECONDS + 600) => ({
  reachoutTimelock: { enforcementType: 'X', isActive, timeEnforcementEnds: ends },
});
const cap = (cappingStatus: string, cycleEnd: unknown = SECONDS + 900) => ({
  messageCapping: { cappingStatus, totalQuota: 10, usedQuota: 10, cycleStart: 0, cycleEnd },
});

describe('until when nobody new may be written to', () => {
  it('is the end of the reach-out lock, or of the cycle whose quota is spent, or the later of both', () => {
    expect(newChatsClosedUntil(lock(true))).toEqual(new Date((SECONDS + 600) * 1_000));
    expect(newChatsClosedUntil(cap('CAPPED'))).toEqual(new Date((SECONDS + 900) * 1_000));
    expect(newChatsClosedUntil({ ...lock(true), ...cap('CAPPED') })).toEqual(new Date((SECONDS + 900) * 1_000));
    expect(newChatsClosedUntil({ ...lock(true), ...cap('NONE') })).toEqual(new Date((SECONDS + 600) * 1_000));
  });

  it('is null where the lock has been lifted, whatever is left of the quota', () => {
    for (const data of [lock(false), { ...lock(false), ...cap('SECOND_WARNING') }])
      expect(newChatsClosedUntil(data)).toBeNull();
  });

  it('is undefined where nothing is said of it', () => {
    for (const data of [
      cap('NONE'),
      cap('FIRST_WARNING'),
      null,
      undefined,
      'x',
      {},
      { code: '123' },
      { reachoutTimelock: null },
    ])
      expect(newChatsClosedUntil(data)).toBeUndefined();
  });

  it('is never absurd: no number is now, and the far future is three months', () => {
    expect(newChatsClosedUntil(lock(true, 'soon'))?.getTime()).toBeLessThanOrEqual(Date.now());
    expect(newChatsClosedUntil(lock(true, 1e15))?.getTime()).toBeLessThanOrEqual(Date.now() + 91 * 86_400_000);
  });
});
