import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { AppError } from '../../common/app-error';
import { errorBody } from './error-body';
import { translateError } from './translate-error';

/** Renders whatever is thrown, by handlers, guards, pipes, Fastify and the parser alike, in the one error shape. */
@Catch()
export class ApiExceptionFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.send(thrown, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  /** Answers the error; one that came after the answer began only breaks the connection off. */
  send(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const error = translateError(thrown);
    this.log(error, request);
    if (reply.sent || reply.raw.headersSent) {
      reply.raw.destroy();
      return;
    }
    // A badly encoded address has no context.
    const context = request.context as FastifyRequest['context'] | undefined;
    if (context) context.refusal = error.code;
    void reply
      .code(error.status)
      .headers(error.headers)
      .header('x-request-id', request.id)
      .type('application/json; charset=utf-8')
      .serializer(JSON.stringify)
      .send(errorBody(error, request.id));
  }

  private log(error: AppError, request: FastifyRequest): void {
    if (error.status < 500) return;
    const route = request.is404 ? 'unmatched' : request.routeOptions.url;
    const record = { request_id: request.id, code: error.code, route, err: error.cause ?? error };
    if (error.code === 'INTERNAL_ERROR') this.logger.error(record, 'request failed');
    else this.logger.warn(record, 'request refused');
  }
}
