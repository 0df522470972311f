import { randomBytes } from 'node:crypto';
import { KeyAccess } from '../../src/modules/api-keys/key-access.service';
import { SystemDatabase } from '../../src/platform/database/system-database';
import type { SystemStatement } from '../../src/platform/database/system-statements';
import { EventBus } from '../../src/platform/events/domain-events';
import { makeKey, type TestKey } from '../support/api-keys';
import type { HttpClient } from '../support/http-client';
import { startTestApp, type TestApp } from '../support/running-app';

const PER_MINUTE = 100;
const [HERE, THERE, NOISY] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'];

let app: TestApp;
let admin: HttpClient;
let access: KeyAccess;

beforeAll(async () => {
  app = await startTestApp({ config: { RATE_LIMIT_PER_MINUTE: String(PER_MINUTE) } });
  admin = (await app.login('TENANT_ADMIN')).http;
  access = app.app.get(KeyAccess);
});

afterAll(() => app.close());
afterEach(() => jest.restoreAllMocks());

const newKey = (): Promise<TestKey> => makeKey(app, admin);
const madeUp = () => `sbk_abcdefgh_${randomBytes(32).toString('base64url')}`;
const idBy = async (key: string, address = HERE) => (await access.byKey(key, address))?.actor.id ?? null;

/** What becomes of each question which key has a hash; the others go their way. */
function answering(answer: (ask: () => Promise<never[]>) => Promise<never[]>): () => number {
  const system = app.app.get(SystemDatabase);
  const run = system.run.bind(system);
  const original = (statement: SystemStatement, params?: unknown[]) => run<never>(statement, params);
  let asked = 0;
  jest.spyOn(system, 'run').mockImplementation((statement: SystemStatement, params?: unknown[]) => {
    if (statement !== 'apiKeyByHash') return original(statement, params);
    asked += 1;
    return answer(() => original(statement, params));
  });
  return () => asked;
}

const away = () => answering(() => Promise.reject(new Error('away')));

/** Lets the process believe, for good or until restored, that so much time has gone by. */
const clock = performance.now.bind(performance);
const afterMs = (ms: number) => jest.spyOn(performance, 'now').mockImplementation(() => clock() + ms);

describe('while the database has no answer', () => {
  it('a key serves for 30 s after it was last confirmed, and not each request asks', async () => {
    const { id, key } = await newKey();
    expect(await idBy(key)).toBe(id);
    const asked = away();
    afterMs(6_000);
    for (let n = 0; n < 10; n += 1) expect(await idBy(key)).toBe(id);
    expect(asked()).toBe(1);
    afterMs(29_000);
    expect(await idBy(key)).toBe(id);
    afterMs(30_000);
    await expect(idBy(key)).rejects.toThrow('away');
    await expect(idBy(madeUp())).rejects.toThrow('away');
  });

  it('makes nobody wait for long who has a key that was confirmed', async () => {
    const { id, key } = await newKey();
    expect(await idBy(key)).toBe(id);
    const asked = answering(() => new Promise<never>(() => undefined));
    afterMs(6_000);
    expect(await Promise.all(Array.from({ length: 10 }, () => idBy(key)))).toEqual(Array(10).fill(id));
    expect([await idBy(key), asked()]).toEqual([id, 1]);
  });

  it('a key of which a change was heard does not serve, also when it is heard of while one waits', async () => {
    const [one, two] = [await newKey(), await newKey()];
    for (const { id, key } of [one, two]) expect(await idBy(key)).toBe(id);
    let fail: ((error: Error) => void) | undefined;
    answering(() => new Promise<never>((_resolve, reject) => (fail = reject)));
    afterMs(6_000);
    const waiting = idBy(one.key);
    for (const { id } of [one, two])
      app.app.get(EventBus).committed('key.changed', { tenantId: app.tenantId, keyId: id });
    fail?.(new Error('away'));
    await expect(waiting).rejects.toThrow('away');
    const next = idBy(two.key);
    fail?.(new Error('away'));
    await expect(next).rejects.toThrow('away');
  });

  it('what it says once it is back counts', async () => {
    const { id, key } = await newKey();
    expect(await idBy(key)).toBe(id);
    away();
    afterMs(6_000);
    expect(await idBy(key)).toBe(id);
    jest.restoreAllMocks();
    await app.owner.query(`delete from api_keys where id = $1`, [id]);
    afterMs(8_000);
    expect(await idBy(key)).toBeNull();
  });
});

describe('made-up keys', () => {
  it('are asked for so many times a minute of one address, and in no other’s way', async () => {
    const [known, fresh, later] = [await newKey(), await newKey(), await newKey()];
    expect(await idBy(known.key)).toBe(known.id);
    const asked = answering((ask) => ask());
    jest.spyOn(performance, 'now').mockReturnValue(clock());
    for (let n = 0; n < PER_MINUTE + 50; n += 1) expect(await idBy(madeUp(), NOISY)).toBeNull();
    expect(asked()).toBe(PER_MINUTE);
    expect(await idBy(known.key, NOISY)).toBe(known.id);
    expect([await access.verdictOn(fresh.key, NOISY), await access.byKey(fresh.key, NOISY)]).toEqual([null, null]);
    expect(await idBy(fresh.key, THERE)).toBe(fresh.id);
    expect(await idBy(fresh.key, NOISY)).toBe(fresh.id);
    afterMs(1_000);
    expect(await idBy(later.key, NOISY)).toBe(later.id);
  });

  it('of one address, however many at once, leave room in the line for others’ keys', async () => {
    const { id, key } = await newKey();
    let open: (() => void) | undefined;
    const opened = new Promise<void>((resolve) => (open = resolve));
    answering(async (ask) => {
      await opened;
      return ask();
    });
    const flood = Promise.allSettled(Array.from({ length: 1_200 }, (_, n) => idBy(madeUp(), `2001:db8::${n + 1}`)));
    const other = idBy(key, THERE);
    open?.();
    expect(await other).toBe(id);
    const outcomes = (await flood).map((one) => (one.status === 'fulfilled' ? one.value : String(one.reason)));
    expect(outcomes.filter((outcome) => outcome === null)).toHaveLength(500);
    expect(outcomes.filter((outcome) => outcome?.includes('Too many'))).toHaveLength(700);
  });
});
