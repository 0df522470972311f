import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { VERSION } from '../../config/version';
import { DOCS_PATH } from './api-prefix';
import { ErrorResponse } from './error.response';
import { completeOperation, SHARED_HEADERS, SHARED_PARAMETERS } from './openapi-operations';
import { refineSchema } from './openapi-schemas';

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

const TAGS: Record<string, string> = {
  Auth: 'Logging in, staying in, logging out',
  Users: 'Signing up, one’s own user, and the tenant’s people',
  Tenants: 'The businesses of the installation, and one’s own tenant',
  'API keys': 'Service accounts: scopes, expiry, rotation',
  Audit: 'Who did what, and the proof that nobody changed it',
  Sessions: 'WhatsApp numbers: create, scan, start, stop',
  Messages: 'Sending, and the history of what was sent and received',
  Campaigns: 'A message to many, each once, with a ledger',
  Files: 'Files that people keep, and those that came in as messages',
  Templates: 'Named texts with variables, for messages',
  Products: 'What the business sells: prices, stock, search',
  Customers: 'Who buys, what they spent, and whom campaigns are for',
  Orders: 'What customers bought: stock, prices and messages in one step',
  'WAHA servers': 'The pool of WAHA servers, for whoever operates the installation',
  Imports: 'Files of products and customers: taken in, and what became of each row',
  Exports: 'Products, customers and orders as files',
  Gateway: 'The tenant’s own services behind this one: routes and their upstreams',
  Webhooks: 'Where WAHA posts its events',
  Health: 'How the service is, for people, probes and Prometheus',
};

/**
 * The OpenAPI 3 document of every route: operation ids are `<Feature>_<handler>`, errors have the one shape, and what holds for
 * all routes of a kind (headers, refusals, formats) is said here once.
 */
export function buildDocument(app: NestFastifyApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Switchboard')
    .setDescription('Talk to customers on WhatsApp: every route answers with and without the prefix /api.')
    .setVersion(VERSION)
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }, 'bearer')
    .addApiKey({ type: 'apiKey', in: 'header', name: 'X-API-Key' }, 'api-key');
  for (const [name, description] of Object.entries(TAGS)) config.addTag(name, description);
  const document = SwaggerModule.createDocument(app, config.build(), {
    extraModels: [ErrorResponse],
    operationIdFactory: (controller, handler) => `${controller.replace(/Controller$/, '')}_${handler}`,
  });
  for (const [path, item] of Object.entries(document.paths))
    for (const method of METHODS) {
      const operation = item[method];
      if (operation) completeOperation(path, method, operation);
    }
  document.components = { ...document.components, headers: SHARED_HEADERS, parameters: SHARED_PARAMETERS };
  for (const schema of Object.values(document.components.schemas ?? {})) refineSchema(schema);
  return document;
}

/** Serves Swagger UI, JSON and YAML. The document is built at the first request for it: it would cost idle memory and start time. */
export function serveDocument(app: NestFastifyApplication): void {
  SwaggerModule.setup(DOCS_PATH.slice(1), app, () => buildDocument(app), {
    customSiteTitle: 'Switchboard API',
    swaggerOptions: { persistAuthorization: true },
  });
}
