import { RedisClient } from '../../platform/cache/redis';
import { HEALTH_BOARD_SCRIPTS } from './balance/health-board.script';
import { LIMIT_SCRIPTS } from './limits/limit.script';

/** The gateway's own connection for its limits. */
export class GatewayRedis extends RedisClient {
  constructor(url: string | undefined) {
    super({ url, name: 'gateway', scripts: LIMIT_SCRIPTS });
  }
}

/** Another for the health of upstreams: however much there is to be told, and however late the answer, no limit waits for it or counts alone. */
export class HealthRedis extends RedisClient {
  constructor(url: string | undefined) {
    super({ url, name: 'gateway-health', scripts: HEALTH_BOARD_SCRIPTS });
  }
}
