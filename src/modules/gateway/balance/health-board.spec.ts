import { Logger } from '@nestjs/common';
import { startRedis, type TestRedis } from '../../../../test/support/redis';
import { eventually } from '../../../../test/support/wait';
import { userActor } from '../../../common/actor';
import { newId } from '../../../common/ids';
import { HealthRedis } from '../gateway-redis';
import { addressKey } from './address-key';
import { upstreamHealthResponse } from './dto/upstream-health.response';
import { HealthBoard } from './health-board';
import { type NamedUrl, RouteUrls, UpstreamHealthService, type UrlWindow } from './upstream-health.service';
import { UpstreamPools } from './upstream-pools';
import { Attempt } from './attempt';
import { UpstreamTargets } from './upstream-targets';

const [A, B, C] = ['http://a.test', 'http://b.test', 'http://c.test'] as const;

/** One process: what it has seen, and its place on the board. */
interface Process {
  redis: HealthRedis;
  targets: UpstreamTargets;
  board: HealthBoard;
}

describe('HealthBoard', () => {
  Logger.overrideLogger(false);
  let server: TestRedis;
  let tenantId: string;
  let nowMs = 0;
  const pools = new UpstreamPools({ mayConnect: () => false, resolve: () => Promise.resolve([]) });
  const opened: HealthRedis[] = [];

  beforeAll(async () => {
    server = await startRedis();
  });
  beforeEach(() => {
    nowMs = 1_000_000;
    tenantId = newId();
  });
  afterAll(async () => {
    for (const redis of opened) redis.close();
    await pools.close();
    await server.stop();
  });

  const startProcess = async (): Promise<Process> => {
    const redis = new HealthRedis(server.url);
    opened.push(redis);
    await redis.settled();
    const targets = new UpstreamTargets(pools, () => nowMs);
    return { redis, targets, board: new HealthBoard(redis, targets) };
  };
  const ask = ({ targets }: Process, url: string, statuses: number[], latencyMs = 10) => {
    for (const status of statuses) {
      const attempt = new Attempt(targets.of(tenantId, url));
      attempt.answered(status, latencyMs);
      attempt.release();
    }
  };
  const bad = [500, 502, 503, 504, 500];
  const admin = () => userActor({ id: newId(), tenantId, role: 'TENANT_ADMIN', loginId: newId() });
  const serviceOf = ({ board }: Process, urls: { route_id: string; url: string }[]) => {
    class Urls extends RouteUrls {
      override page(asked: string, { limit }: UrlWindow): Promise<NamedUrl[]> {
        const own = Map.groupBy(asked === tenantId ? urls : [], ({ url }) => url);
        const named = [...own].map(([url, by]) => ({ url, place: url, route_ids: by.map((each) => each.route_id) }));
        return Promise.resolve(named.sort((a, b) => (a.place < b.place ? -1 : 1)).slice(0, limit));
      }

      override count(): Promise<number> {
        return Promise.resolve(urls.length);
      }
    }
    return new UpstreamHealthService(new Urls(), board);
  };
  /** Redis answers in 50 ms or counts as away, which a busy machine may make it. */
  const tellAll = async (...processes: Process[]) => {
    for (const { board, redis } of processes) {
      await eventually(() => redis.state === 'up');
      await board.tell();
    }
  };

  it('shows what all processes have seen: the worst state, the sum of what is under way', async () => {
    const [one, two] = [await startProcess(), await startProcess()];
    ask(one, A, [200], 10);
    ask(two, A, [200, ...bad], 20);
    const [first, second] = [one, two].map(({ targets }) => new Attempt(targets.of(tenantId, A)));
    ask(one, B, [200]);
    await tellAll(one, two);
    const routes = [newId(), newId()];
    const service = serviceOf(one, [
      { route_id: routes[0]!, url: B },
      { route_id: routes[0]!, url: A },
      { route_id: routes[1]!, url: A },
      { route_id: routes[1]!, url: C },
    ]);
    const [a, b, c] = await eventually(async () => {
      const { items } = await service.list(admin(), { limit: 20 });
      if (items[0]?.view?.processes !== 2) throw new Error('not all have told');
      return items.map(upstreamHealthResponse);
    });
    expect(a).toMatchObject({
      url: A,
      route_ids: routes,
      state: 'ejected',
      consecutive_failures: 5,
      in_flight: 2,
      shared: true,
    });
    expect(a?.latency_ms).toBe(15);
    expect(a?.ejected_until?.getTime()).toBeGreaterThan(Date.now());
    expect(b).toMatchObject({ url: B, route_ids: [routes[0]], state: 'healthy', processes: 1, ejected_until: null });
    expect(c).toEqual({
      ...{ url: C, route_ids: [routes[1]], state: 'unknown', consecutive_failures: 0, ejected_until: null },
      ...{ latency_ms: null, in_flight: 0, processes: 0, shared: true },
    });
    first?.release();
    second?.release();
  });

  it('shows nothing of another tenant, nor what its routes do not name', async () => {
    const one = await startProcess();
    ask(one, A, [200]);
    await tellAll(one);
    const service = serviceOf(one, [{ route_id: newId(), url: B }]);
    expect((await service.list(admin(), { limit: 20 })).items.map(({ url, view }) => [url, view])).toEqual([[B, null]]);
    const stranger = { ...admin(), tenantId: newId() };
    expect((await service.list(stranger, { limit: 20 })).items).toEqual([]);
  });

  it('tells of a tenant for a while after its last request, and then no more', async () => {
    const one = await startProcess();
    const board = `switchboard:gateway:health:${tenantId}`;
    ask(one, A, [200]);
    const told = async (): Promise<boolean> => {
      await tellAll(one);
      return (await one.redis.use((redis) => redis.del(board))) === 1;
    };
    expect(await told()).toBe(true);
    expect(await told()).toBe(true);
    let rounds = 2;
    while (await told()) rounds += 1;
    expect(rounds).toBeLessThanOrEqual(60);
    ask(one, A, [200]);
    expect(await told()).toBe(true);
    await tellAll(one);
    const ttl = await one.redis.use((redis) => redis.pttl(board));
    expect(ttl).toBeGreaterThan(0);
    expect(ttl).toBeLessThanOrEqual(15_000);
  });

  it('does not count the words of the dead, nor what it cannot read', async () => {
    const one = await startProcess();
    ask(one, A, [200]);
    const board = `switchboard:gateway:health:${tenantId}`;
    const view = JSON.stringify([
      { key: addressKey(A), state: 'ejected', failuresInARow: 9, untilMs: 1, latencyMs: 1, inFlight: 1 },
    ]);
    const nowS = Math.floor(Date.now() / 1_000);
    await one.redis.use((redis) =>
      redis.hset(board, { dead: `${(nowS - 60) * 1_000}:${view}`, odd: `${nowS * 1_000}:{`, odder: 'nothing' }),
    );
    const { views } = await one.board.ask(tenantId, [A]);
    expect(views.map(({ state }) => state)).toEqual(['healthy']);
  });

  it('drops of what is written there the views that are not sound, and answers by the others', async () => {
    const one = await startProcess();
    const sound = { key: addressKey(A), state: 'suspect', failuresInARow: 1, untilMs: 5, latencyMs: 2, inFlight: 3 };
    const odd = [
      ...[null, 7, 'x', [], {}],
      ...['key', 'state', 'failuresInARow', 'untilMs', 'latencyMs', 'inFlight'].flatMap((field) =>
        [{}, true, -1, 1e99, undefined].map((value) => ({ ...sound, [field]: value })),
      ),
      { ...sound, failuresInARow: 0.5 },
      { ...sound, inFlight: null },
      { ...sound, state: 'toString' },
    ];
    const at = Date.now();
    await eventually(() => one.redis.state === 'up');
    const words = { odd: [...odd, sound], none: null, text: 'x', object: { length: 1 } };
    const said = Object.entries(words).map(([process, views]) => [process, `${at}:${JSON.stringify(views)}`] as const);
    await one.redis.use((redis) => redis.hset(`switchboard:gateway:health:${tenantId}`, Object.fromEntries(said)));
    expect(await one.board.ask(tenantId, [A])).toEqual({ views: [sound], shared: true });
    expect(await one.board.ask(tenantId, [B])).toEqual({ views: [], shared: true });
    const service = serviceOf(one, [{ route_id: newId(), url: A }]);
    const [shown] = (await service.list(admin(), { limit: 20 })).items.map(upstreamHealthResponse);
    expect(JSON.parse(JSON.stringify(shown))).toMatchObject({ state: 'suspect', processes: 1, in_flight: 3 });
  });

  it('shows its own view alone while Redis is away', async () => {
    const [one, two] = [await startProcess(), await startProcess()];
    ask(one, A, bad);
    ask(two, B, [200]);
    await tellAll(one, two);
    await server.kill();
    await eventually(() => one.redis.state === 'away');
    await one.board.tell();
    const own = { key: addressKey(A), state: 'ejected' };
    expect(await one.board.ask(tenantId, [A, B])).toMatchObject({ shared: false, views: [own] });
    const service = serviceOf(one, [
      { route_id: newId(), url: A },
      { route_id: newId(), url: B },
    ]);
    const [a, b] = (await service.list(admin(), { limit: 2 })).items.map(upstreamHealthResponse);
    expect(a).toMatchObject({ state: 'ejected', processes: 1, shared: false });
    expect(b).toMatchObject({ state: 'unknown', processes: 0, shared: false });
  });
});
