import type { IncomingMessage } from 'node:http';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { LogController } from 'fastify';
import type { FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify';
import type { Logger } from 'pino';
import type { Config } from '../../config/config';
import { requestIdOf } from '../context/request-id';
import { createAccessLog } from '../logging/access-log';
import { logAnswer } from '../logging/api-access-log';
import { withoutPrefix } from './api-prefix';
import type { ApiExceptionFilter } from './api-exception.filter';
import { DEFAULT_BODY_LIMIT_BYTES } from './body-parser';
import { answerClientError } from './client-error';
import type { SecurityHeaders } from './security-headers';

/** How long a client may take: for its headers, for its whole request, and idle between two requests on one connection. */
const TIMEOUTS = { headersMs: 20_000, requestMs: 120_000, keepAliveMs: 72_000, socketIdleMs: 150_000 };

/** Long enough that a malformed id is refused as malformed (400) instead of as too long (414). */
const MAX_PARAMETER_LENGTH = 2048;

interface AdapterParts {
  config: Config;
  logger: Logger;
  filter: ApiExceptionFilter;
  headers: SecurityHeaders;
}

/** Nest's Fastify adapter without middie, with our limits, and with errors handed to the filter as they were thrown. */
export class ApiAdapter extends FastifyAdapter {
  constructor(parts: AdapterParts) {
    // The parameter names Fastify's options for every kind of server at once, which no plain options satisfy.
    super({ ...serverOptions(parts), skipMiddie: true } as never);
  }

  /** Nest would turn Fastify's errors into its own and lose their code. */
  override mapException(error: unknown): unknown {
    return error;
  }
}

function serverOptions({ config, logger, filter, headers }: AdapterParts): FastifyServerOptions {
  const accessLog = createAccessLog(logger);
  return {
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }), // one line per answer: api-access-log.ts
    childLoggerFactory: (parent) => parent, // lines carry the request's id from its context
    genReqId: (request: IncomingMessage) => requestIdOf(request.headers['x-request-id']),
    rewriteUrl: (request: IncomingMessage) => withoutPrefix(request.url ?? '/'),
    trustProxy: config.TRUSTED_PROXIES.length > 0 ? config.TRUSTED_PROXIES : false,
    bodyLimit: DEFAULT_BODY_LIMIT_BYTES,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    requestTimeout: TIMEOUTS.requestMs,
    keepAliveTimeout: TIMEOUTS.keepAliveMs,
    connectionTimeout: TIMEOUTS.socketIdleMs,
    // A missing Host is refused by our own hook: Node's answer has no body.
    http: { headersTimeout: TIMEOUTS.headersMs, requireHostHeader: false },
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    clientErrorHandler: answerClientError(headers.api, logger),
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      reply.headers(headers.api);
      filter.send(error, request, reply);
      logAnswer(accessLog, request, reply); // the router refused it before any hook
    },
  } as FastifyServerOptions;
}
