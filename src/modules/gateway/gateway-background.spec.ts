import { startRedis, type TestRedis } from '../../../test/support/redis';
import { eventually } from '../../../test/support/wait';
import { Attempt } from './balance/attempt';
import type { Config } from '../../config/config';
import { HealthBoard } from './balance/health-board';
import { UpstreamPools } from './balance/upstream-pools';
import { UpstreamTargets } from './balance/upstream-targets';
import { GatewayBackground } from './gateway-background';
import { GatewayRedis, HealthRedis } from './gateway-redis';
import { GatewayLimiter } from './limits/gateway-limiter';

const SERVING = { answersApi: true, servesGateway: true } as Config;

describe('GatewayBackground', () => {
  let server: TestRedis;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  it('makes the process known and tells what it has seen, and at the end nothing is left of it', async () => {
    const redis = new GatewayRedis(server.url);
    const limiter = new GatewayLimiter(redis);
    const pools = new UpstreamPools({ mayConnect: () => false, resolve: () => Promise.resolve([]) });
    const targets = new UpstreamTargets(pools);
    const health = new HealthRedis(server.url);
    const board = new HealthBoard(health, targets);
    const background = new GatewayBackground(redis, limiter, pools, SERVING, board, targets);
    const attempt = new Attempt(targets.of('tenant', 'http://a.test'));
    attempt.release();

    const watcher = new GatewayRedis(server.url);
    await watcher.settled();
    const known = () => watcher.use((r) => r.zcard('switchboard:gateway:processes'));
    await background.onModuleInit();
    await eventually(async () => (await known()) === 1);
    await eventually(() => watcher.use((r) => r.exists('switchboard:gateway:health:tenant')));

    await background.beforeApplicationShutdown();
    expect(redis.state).toBe('up');
    await background.onApplicationShutdown();
    expect(pools.size).toBe(0);
    await eventually(() => redis.state === 'away' && health.state === 'away');
    expect(await known()).toBe(0);
    watcher.close();
  });
});
