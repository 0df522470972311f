import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { VERSION } from '../../config/version';
import { DOCS_PATH } from './api-prefix';
import { ErrorResponse } from './error.response';

type PathItem = OpenAPIObject['paths'][string];
type Operation = NonNullable<PathItem['get']>;

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

const ERROR_TEXTS: Record<string, string> = {
  400: 'The request is malformed: `details` names each field at fault',
  401: 'The credential is missing, wrong, expired or revoked',
  403: 'The role does not include this',
  404: 'There is no such resource, or it belongs to somebody else',
  429: 'Too many requests; `Retry-After` says when to try again',
  503: 'The database or WAHA cannot be reached; try again',
};

/** The OpenAPI 3 document of every route: operation ids are `<Feature>_<handler>`, errors have the one shape. */
export function buildDocument(app: NestFastifyApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Switchboard')
    .setDescription('Talk to customers on WhatsApp: every route answers with and without the prefix /api.')
    .setVersion(VERSION)
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }, 'bearer')
    .addApiKey({ type: 'apiKey', name: 'X-API-Key', in: 'header' }, 'api-key')
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    extraModels: [ErrorResponse],
    operationIdFactory: (controller, handler) => `${controller.replace(/Controller$/, '')}_${handler}`,
  });
  for (const [path, item] of Object.entries(document.paths)) addErrors(path, item);
  return document;
}

function addErrors(path: string, item: PathItem): void {
  for (const method of METHODS) {
    const operation = item[method];
    if (!operation) continue;
    for (const status of errorStatusesOf(path, operation)) operation.responses[status] ??= errorResponse(status);
    for (const [status, response] of Object.entries(operation.responses))
      if (status >= '400' && response && !('$ref' in response)) response.content ??= errorContent();
  }
}

function errorStatusesOf(path: string, operation: Operation): string[] {
  const statuses = ['503'];
  if ((operation as { 'x-rate-limited'?: boolean })['x-rate-limited'] !== false) statuses.push('429');
  if (operation.requestBody ?? operation.parameters?.length) statuses.push('400');
  if (operation.security?.length) statuses.push('401', '403');
  if (path.includes('{')) statuses.push('404');
  return statuses;
}

const errorContent = () => ({ 'application/json': { schema: { $ref: '#/components/schemas/ErrorResponse' } } });

const errorResponse = (status: string) => ({ description: ERROR_TEXTS[status] ?? 'Refused', content: errorContent() });

/** Serves Swagger UI, JSON and YAML. The document is built at the first request for it: it would cost idle memory and start time. */
export function serveDocument(app: NestFastifyApplication): void {
  SwaggerModule.setup(DOCS_PATH.slice(1), app, () => buildDocument(app), {
    customSiteTitle: 'Switchboard API',
    swaggerOptions: { persistAuthorization: true },
  });
}
