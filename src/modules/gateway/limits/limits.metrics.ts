import { Injectable } from '@nestjs/common';
import { Metrics } from '../../../platform/metrics/metrics';
import { GatewayLimiter } from './gateway-limiter';

/** Whether the limits of the gateway are shared at the moment. */
@Injectable()
export class GatewayLimitsMetrics {
  constructor(metrics: Metrics, limiter: GatewayLimiter) {
    metrics.observe({
      name: 'switchboard_gateway_limits_alone',
      help: '1 while this process counts the limits of the gateway alone, because Redis is away or there is none',
      read: () => [{ value: Number(limiter.standing.alone) }],
    });
    metrics.observe({
      name: 'switchboard_gateway_limits_processes',
      help: 'Processes among which this one divides a limit of the gateway while Redis is away, as last heard: those that count requests lately',
      read: () => [{ value: limiter.standing.processes }],
    });
    metrics.observeTotal({
      name: 'switchboard_gateway_limits_decided_alone_total',
      help: 'Requests whose limits this process decided on alone',
      read: () => [{ value: limiter.standing.decidedAlone }],
    });
  }
}
