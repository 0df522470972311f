import { Injectable } from '@nestjs/common';
import type { EndedExchange, GatewayObserver } from '../proxy/parts';
import { GatewayMetrics } from './gateway-metrics';
import { GatewayRefusals } from './gateway-refusals';

/** Everybody who is told of each exchange. */
@Injectable()
export class GatewayObservers implements GatewayObserver {
  constructor(
    private readonly metrics: GatewayMetrics,
    private readonly refusals: GatewayRefusals,
  ) {}

  ended(exchange: EndedExchange): void {
    this.metrics.ended(exchange);
    if (exchange.status === 401 || exchange.status === 403) this.refusals.ended(exchange);
  }
}
