import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { Config } from '../../config/config';
import { Periodic } from '../../platform/loops/periodic';
import { HealthBoard } from './balance/health-board';
import { UpstreamPools } from './balance/upstream-pools';
import { UpstreamTargets } from './balance/upstream-targets';
import { GatewayRedis } from './gateway-redis';
import { GatewayLimiter } from './limits/gateway-limiter';

const TELL_EVERY_MS = 5_000;
const SWEEP_EVERY_MS = 30_000;

/** What the gateway does beside its requests: makes itself known, tells of upstreams, forgets the unused, and gives all back at the end. */
@Injectable()
export class GatewayBackground implements OnModuleInit, BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly loops: Periodic[];

  constructor(
    private readonly redis: GatewayRedis,
    private readonly limiter: GatewayLimiter,
    private readonly pools: UpstreamPools,
    private readonly config: Config,
    private readonly board: HealthBoard,
    targets: UpstreamTargets,
  ) {
    const logger = new Logger('Gateway');
    const onError = (error: unknown) => logger.error({ msg: 'a round beside the requests failed', err: error });
    this.loops = [
      new Periodic({ everyMs: TELL_EVERY_MS, run: () => board.tell(), onError }),
      new Periodic({ everyMs: SWEEP_EVERY_MS, run: () => Promise.resolve(targets.sweep()), onError }),
    ];
  }

  /** Waits a moment for Redis, so that the first requests are counted with the others'. */
  async onModuleInit(): Promise<void> {
    if (!this.config.answersApi && !this.config.servesGateway) return;
    await this.redis.settled();
    await this.limiter.start();
    for (const loop of this.loops) loop.start();
  }

  /** Requests may still be under way: they are counted to the end. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.stop()));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pools.close();
    await this.limiter.stop();
    this.redis.close();
    this.board.close();
  }
}
