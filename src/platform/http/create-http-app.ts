import cors from '@fastify/cors';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { jsonText } from '../../common/money';
import type { Config } from '../../config/config';
import { registerContext } from '../context/context.hook';
import { createAccessLog } from '../logging/access-log';
import { registerAccessLog } from '../logging/api-access-log';
import { NestLogger } from '../logging/nest-logger';
import { registerHttpMetrics } from '../metrics/http-metrics.hook';
import { Metrics } from '../metrics/metrics';
import { assertEveryRouteIsMarked } from './access-audit';
import { ApiAdapter } from './api.adapter';
import { ApiExceptionFilter } from './api-exception.filter';
import { ApiPaths } from './api-paths';
import { registerBodyParsers } from './body-parser';
import { registerDraining } from './draining.hook';
import { registerEarlyRefusals } from './early-refusals.hook';
import { FrontDoors, standBefore } from './front-door';
import { registerMultipart } from './multipart';
import { serveDocument } from './openapi';
import { Readiness } from './readiness';
import { RequestLimits } from './request-limits';
import { RouteTable } from './route-table';
import { registerSecurityHeaders, type SecurityHeaders, securityHeaders } from './security-headers';
import { ApiValidationPipe } from './validation.pipe';

type RootModule = Parameters<typeof NestFactory.create>[0];

/**
 * An application that speaks our HTTP: context, headers, parsers, validation, the one error shape, documentation. Initialised,
 * not yet listening.
 * @param rootModule what it serves; must bring ConfigModule, HttpModule and MetricsModule
 * @throws Error when a route says not who may call it
 */
export async function createHttpApp(
  rootModule: RootModule,
  config: Config,
  logger: Logger,
): Promise<NestFastifyApplication> {
  const filter = new ApiExceptionFilter(logger);
  const headers = await securityHeaders();
  const adapter = new ApiAdapter({ config, logger, filter, headers });
  const fastify = adapter.getInstance<FastifyInstance>();
  fastify.setReplySerializer(jsonText);
  const routes = new RouteTable();
  routes.watch(fastify);
  registerHooks(fastify, { headers, routes, logger });
  const app = await NestFactory.create<NestFastifyApplication>(rootModule, adapter, {
    logger: new NestLogger(logger),
    bodyParser: false,
    abortOnError: false,
  });
  standBefore(fastify.server, app.get(FrontDoors));
  app.get(ApiPaths).use(routes);
  registerHttpMetrics(fastify, app.get(Metrics));
  registerDraining(fastify, app.get(Readiness));
  if (config.CORS_ORIGINS.length > 0) await app.register(cors, corsOptions(config.CORS_ORIGINS));
  await registerMultipart(fastify);
  registerEarlyRefusals(fastify, { routes, answersApi: config.answersApi, limits: app.get(RequestLimits) });
  app.useGlobalFilters(filter);
  app.useGlobalPipes(new ApiValidationPipe());
  serveDocument(app);
  await initialise(app, routes);
  return app;
}

async function initialise(app: NestFastifyApplication, routes: RouteTable): Promise<void> {
  try {
    await app.init();
    assertEveryRouteIsMarked(app, routes);
  } catch (error) {
    // What had begun by then holds connections and timers; the first failure is the one to tell of.
    await app.close().catch(() => undefined);
    throw error;
  }
}

interface HookParts {
  headers: SecurityHeaders;
  routes: RouteTable;
  logger: Logger;
}

function registerHooks(fastify: FastifyInstance, { headers, logger }: HookParts): void {
  registerContext(fastify);
  registerSecurityHeaders(fastify, headers);
  registerAccessLog(fastify, createAccessLog(logger));
  registerBodyParsers(fastify);
  // RFC 9110 lets a server pass over an expectation that it does not know; Node's own 417 has no body.
  fastify.server.on('checkExpectation', (request, response) => fastify.server.emit('request', request, response));
}

const corsOptions = (origins: string[]) => ({
  origin: origins.includes('*') ? true : origins,
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  exposedHeaders: [
    'Link',
    'X-Total-Count',
    'X-Cache',
    'X-Request-Id',
    'ETag',
    'Retry-After',
    'RateLimit-Limit',
    'RateLimit-Remaining',
    'RateLimit-Reset',
    'Idempotent-Replayed',
  ],
  maxAge: 600,
  strictPreflight: false,
});
