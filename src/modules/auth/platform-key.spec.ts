import { PlatformKey } from './platform-key';

const KEY = 'an administrator of 32 characters';

describe('ADMIN_API_KEY', () => {
  it('makes whoever shows it the platform administrator, and nobody else', () => {
    const platform = new PlatformKey({ ADMIN_API_KEY: KEY });
    expect(platform.actorOf(KEY)).toMatchObject({ kind: 'platform', role: 'PLATFORM_ADMIN' });
    for (const other of ['', KEY.slice(1), `${KEY} `, KEY.toUpperCase()]) expect(platform.actorOf(other)).toBeNull();
  });

  it.each([undefined, ''])('that is %j takes nothing for the key', (unset) => {
    const platform = new PlatformKey({ ADMIN_API_KEY: unset });
    for (const key of ['', 'undefined', 'null', KEY]) expect(platform.actorOf(key)).toBeNull();
  });
});
