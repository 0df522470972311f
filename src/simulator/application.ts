import Fastify, { type FastifyError, type FastifyInstance, type FastifyRequest } from 'fastify';
import { ApiGate } from './api-gate';
import { registerAuthRoutes } from './routes/auth.routes';
import { registerChangeRoutes } from './routes/change.routes';
import { registerChatRoutes } from './routes/chat.routes';
import { registerContactRoutes } from './routes/contact.routes';
import { registerFaultRoutes } from './routes/fault.routes';
import { registerPhoneRoutes } from './routes/phone.routes';
import { registerSendRoutes } from './routes/send.routes';
import { registerServerRoutes } from './routes/server.routes';
import { registerSessionRoutes } from './routes/session.routes';
import { environmentOf } from './settings';
import { validationMessages } from './validation-messages';
import { nestError, unexpectedErrorBody, WahaError } from './waha-error';
import type { World } from './world';

const BODY_LIMIT_BYTES = 50 * 1024 * 1024;
const MAX_PARAM_LENGTH = 500;

/** The HTTP application of a world, not listening yet. Closing it cuts every connection at once. */
export function buildApplication(world: World): FastifyInstance {
  const app = Fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: true, allErrors: true } },
  });
  parseBodies(app);
  renderErrors(app, world);
  const gate = new ApiGate(world);
  gate.guard(app);
  registerServerRoutes(app, world);
  registerSessionRoutes(app, world);
  registerAuthRoutes(app, world);
  registerSendRoutes(app, world);
  registerChatRoutes(app, world);
  registerContactRoutes(app, world);
  registerPhoneRoutes(app, world);
  registerChangeRoutes(app, world);
  registerFaultRoutes(app, world, gate);
  return app;
}

function parseBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    parseJson(body as string, done);
  });
  // Whatever else is sent to WAHA's own API counts as no body, as it does there. People who try ours out send it without a
  // type, or with the one that their tool puts in.
  app.addContentTypeParser('*', { parseAs: 'string' }, (request, body, done) => {
    if (request.url.startsWith('/simulator')) parseJson(body as string, done);
    else done(null, {});
  });
}

function parseJson(text: string, done: (error: Error | null, body?: unknown) => void): void {
  if (text === '') return done(null, {});
  try {
    done(null, JSON.parse(text));
  } catch (error) {
    done(nestError(400, (error as Error).message));
  }
}

function renderErrors(app: FastifyInstance, world: World): void {
  app.setNotFoundHandler((request, reply) => {
    const { body } = nestError(404, `Cannot ${request.method} ${request.url}`);
    return reply.code(404).send(body);
  });
  app.setErrorHandler<FastifyError | WahaError>((error, request, reply) => {
    if (error instanceof WahaError) return reply.code(error.statusCode).send(error.body);
    if (error.validation !== undefined) {
      const { body } = nestError(400, validationMessages(error.validation));
      return reply.code(400).send(body);
    }
    if (error.statusCode !== undefined && error.statusCode < 500) {
      const { statusCode, body } = nestError(error.statusCode, error.message);
      return reply.code(statusCode).send(body);
    }
    return reply.code(500).send(unexpectedErrorBody(error, failedRequest(request), environmentOf(world.settings)));
  });
}

function failedRequest({ url, method, body, query }: FastifyRequest) {
  return { path: url, method, body, query };
}
