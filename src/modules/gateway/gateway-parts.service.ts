import { Injectable } from '@nestjs/common';
import { KeyAccess } from '../api-keys/key-access.service';
import { UpstreamBalancer } from './balance/upstream-balancer';
import { GatewayLimiter } from './limits/gateway-limiter';
import { GatewayObservers } from './metrics/gateway-observers';
import type { FrontParts } from './proxy/front';
import { RouteDirectory } from './routes/route-directory.service';

/** What the data plane asks of the rest of the service. */
@Injectable()
export class GatewayParts {
  constructor(
    private readonly keys: KeyAccess,
    private readonly tables: RouteDirectory,
    private readonly limits: GatewayLimiter,
    private readonly balancer: UpstreamBalancer,
    private readonly observer: GatewayObservers,
  ) {}

  all(): Pick<FrontParts, 'keys' | 'tables' | 'limits' | 'balancer' | 'observer'> {
    const { tables, limits, balancer, observer } = this;
    return { keys: { find: (key, address) => this.keys.verdictOn(key, address) }, tables, limits, balancer, observer };
  }
}
