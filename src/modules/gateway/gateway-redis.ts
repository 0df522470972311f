import { RedisClient } from '../../platform/cache/redis';
import { HEALTH_BOARD_SCRIPTS } from './balance/health-board.script';
import { LIMIT_SCRIPTS } from './limits/limit.script';

/** The gateway's own connection: its limits and the health of upstreams. */
export class GatewayRedis extends RedisClient {
  constructor(url: string | undefined) {
    super({ url, name: 'gateway', scripts: { ...LIMIT_SCRIPTS, ...HEALTH_BOARD_SCRIPTS } });
  }
}
