import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { startRedis, type TestRedis } from '../../../test/support/redis';
import { eventually } from '../../../test/support/wait';
import type { Config } from '../../config/config';
import { RedisClient } from '../cache/redis';
import { EventBus } from './domain-events';
import { SharedEvents } from './shared-events';

interface Process {
  events: EventBus;
  redis: RedisClient;
  shared: SharedEvents;
  /** The tenants whose gateway it heard of. */
  heard: string[];
}

const processes: Process[] = [];

function startProcess(url: string): Process {
  const events = new EventBus();
  const heard: string[] = [];
  events.hears('gateway.changed', ({ tenantId }) => heard.push(tenantId));
  const redis = new RedisClient({ url, name: 'test' });
  const shared = new SharedEvents({ REDIS_URL: url } as Config, redis, events);
  shared.onApplicationBootstrap();
  const process = { events, redis, shared, heard };
  processes.push(process);
  return process;
}

afterEach(() => {
  for (const { shared, redis } of processes.splice(0)) {
    shared.onApplicationShutdown();
    redis.close();
  }
});

describe('SharedEvents', () => {
  let server: TestRedis;

  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  /** Commits on one until the other has heard of it. */
  const tells = (one: Process, other: Process, tenantId: string): Promise<unknown> =>
    eventually(() => {
      one.events.committed('gateway.changed', { tenantId });
      return other.heard.includes(tenantId);
    });

  it('tells other processes what one has committed, and nobody twice', async () => {
    const [one, other] = [startProcess(server.url), startProcess(server.url)];
    await tells(one, other, 'first');
    await tells(other, one, 'second');
    const before = one.heard.length;
    one.events.committed('gateway.changed', { tenantId: 'own' });
    await eventually(() => other.heard.includes('own'));
    expect(one.heard.slice(before).filter((tenantId) => tenantId === 'own')).toHaveLength(1);
  });

  it('takes nothing but known events with their fields from Redis', async () => {
    const [one, other] = [startProcess(server.url), startProcess(server.url)];
    await tells(one, other, 'heard');
    const before = other.heard.length;
    const bad = [
      '{',
      'null',
      '{"name":"gateway.changed","event":null}',
      '{"name":"gateway.changed","event":{}}',
      '{"name":"gateway.changed","event":{"tenantId":7}}',
      '{"name":"constructor","event":{"tenantId":"x"}}',
      `{"name":"gateway.changed","event":{"tenantId":"${'x'.repeat(1_000)}"}}`,
    ];
    for (const message of bad) await one.redis.use((redis) => redis.publish('switchboard:events', message));
    await tells(one, other, 'after them');
    // What was told of before them may still come a second time.
    expect(new Set(other.heard.slice(before).filter((id) => id !== 'heard'))).toEqual(new Set(['after them']));
  });

  it('goes on when Redis comes back', async () => {
    const own = await startRedis();
    try {
      const [one, other] = [startProcess(own.url), startProcess(own.url)];
      await tells(one, other, 'before');
      await own.kill();
      one.events.committed('gateway.changed', { tenantId: 'lost' });
      await own.restart();
      await tells(one, other, 'after');
    } finally {
      await own.stop();
    }
  });

  it('keeps nobody waiting for a Redis that takes connections and says nothing', async () => {
    const sockets = new Set<Socket>();
    const silent: Server = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    try {
      const { events, heard } = startProcess(`redis://127.0.0.1:${(silent.address() as AddressInfo).port}`);
      events.committed('gateway.changed', { tenantId: 'here' });
      expect(heard).toEqual(['here']);
      // The silent connection is given up, and another is tried.
      await eventually(() => sockets.size > 2, { timeoutMs: 15_000 });
    } finally {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => silent.close(() => resolve()));
    }
  });
});
