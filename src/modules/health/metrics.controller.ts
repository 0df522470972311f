import { createHash, timingSafeEqual } from 'node:crypto';
import { Controller, Get, Header, Headers, Res } from '@nestjs/common';
import { ApiOkResponse, ApiProduces, ApiTags, ApiUnauthorizedResponse } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { CommonErrors } from '../../common/common.errors';
import { Config } from '../../config/config';
import { Public, Unlimited } from '../../platform/http/access.decorators';
import { Metrics } from '../../platform/metrics/metrics';
import { OPEN_METRICS_TYPE, wantsOpenMetrics } from '../../platform/metrics/open-metrics';

const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** The metrics of this process, for Prometheus. */
@ApiTags('Health')
@Controller('metrics')
export class MetricsController {
  constructor(
    private readonly metrics: Metrics,
    private readonly config: Config,
  ) {}

  /** Prometheus text, or OpenMetrics when asked. Wants METRICS_TOKEN as a bearer token where that is set. */
  @Get()
  @Header('Cache-Control', 'no-store')
  @Public('Scrapers have no account; METRICS_TOKEN protects it where it is set')
  @Unlimited('Scraped by the clock')
  @ApiProduces('text/plain')
  @ApiOkResponse({ schema: { type: 'string' } })
  @ApiUnauthorizedResponse({ description: 'METRICS_TOKEN is set, and this is not it' })
  async scrape(
    @Headers('authorization') authorization: string | undefined,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const token = this.config.METRICS_TOKEN;
    if (token && !sameText(authorization ?? '', `Bearer ${token}`)) throw CommonErrors.authenticationFailed();
    const format = wantsOpenMetrics(accept) ? 'openmetrics' : 'prometheus';
    void reply.header('content-type', format === 'openmetrics' ? OPEN_METRICS_TYPE : PROMETHEUS_TYPE);
    return this.metrics.render(format);
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** In a time that tells nothing of where they differ. */
const sameText = (one: string, other: string): boolean => timingSafeEqual(digest(one), digest(other));
