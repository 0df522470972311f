import { TEXT_ID } from '../../src/common/ids';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import { MESSAGE_STATUSES } from '../../src/modules/messages/message-status';
import { handlersOf } from '../../src/platform/http/access-audit';
import { createTestApp } from '../support/app';

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

const operationsOf = (document: OpenAPIObject) =>
  Object.entries(document.paths).flatMap(([url, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation ? [{ route: `${method.toUpperCase()} ${url}`, operation }] : [];
    }),
  );

/** They answer their report with 503 as well: it is what was asked for. */
const isReport = (route: string, status: string) => status === '503' && /^GET \/(health|ready)/.test(route);

const UUID = { type: 'string', format: 'uuid' };
const TEXT = { type: 'string', maxLength: 64, pattern: TEXT_ID.source };

describe('the OpenAPI document', () => {
  let app: NestFastifyApplication;
  let document: OpenAPIObject;
  /** Made of the build: it knows the types too, which a compiler that strips them does not. */
  const file = JSON.parse(readFileSync(path.join(__dirname, '../../docs/openapi.json'), 'utf8')) as OpenAPIObject;

  beforeAll(async () => {
    app = await createTestApp();
    document = (await app.inject('/api/docs-json')).json();
  });

  const operation = (route: string) => {
    const found = operationsOf(document).find((it) => it.route === route)?.operation;
    if (!found) throw new Error(`There is no ${route}`);
    return found;
  };
  const statusesOf = (route: string) => Object.keys(operation(route).responses);

  afterAll(() => app.close());

  it('names every route of the router and no other', () => {
    const routes = handlersOf(app).map(({ route }) => route.replaceAll(/:(\w+)/g, '{$1}'));
    expect(
      operationsOf(document)
        .map(({ route }) => route)
        .sort(),
    ).toEqual(routes.sort());
  });

  it('lies in docs/openapi.json with the same routes (npm run openapi)', () => {
    expect(
      operationsOf(file)
        .map(({ route }) => route)
        .sort(),
    ).toEqual(
      operationsOf(document)
        .map(({ route }) => route)
        .sort(),
    );
  });

  it('gives each operation a name of its own', () => {
    const ids = operationsOf(document).map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('asks for a credential exactly where the guard does', () => {
    const closed = handlersOf(app).filter(({ rule }) => rule?.access.kind === 'permission');
    const secured = operationsOf(document).filter(({ operation }) => operation.security?.length);
    expect(secured.map(({ route }) => route).sort()).toEqual(
      closed.map(({ route }) => route.replaceAll(/:(\w+)/g, '{$1}')).sort(),
    );
  });

  it('shows every refusal in the one error shape', () => {
    for (const { route, operation } of operationsOf(document))
      for (const [status, response] of Object.entries(operation.responses)) {
        if (status < '400' || isReport(route, status) || !response || '$ref' in response) continue;
        expect([route, status, response.content?.['application/json']?.schema]).toEqual([
          route,
          status,
          { $ref: '#/components/schemas/ErrorResponse' },
        ]);
      }
    expect(Object.keys(document.components?.schemas?.ErrorResponse ?? {})).toContain('properties');
  });

  it.each([
    ['POST /messages/send', ['202', '400', '401', '402', '403', '404', '409', '413', '415', '422', '429', '503']],
    ['POST /waha/sessions', ['201', '400', '401', '402', '403', '404', '409', '413', '415', '422', '429', '503']],
    ['GET /waha/sessions/{id}/qr', ['200', '400', '401', '403', '404', '409', '429', '503']],
    ['POST /webhooks/waha', ['200', '400', '401', '404', '413', '415', '503']],
    ['GET /metrics', ['200', '400', '401', '503']],
  ])('names every answer of %s', (route, statuses) => {
    expect(statusesOf(route).sort()).toEqual(statuses);
  });

  it('says of every answer what it means', () => {
    const silent = operationsOf(document).flatMap(({ route, operation: { responses } }) =>
      Object.entries(responses)
        .filter(([, answer]) => !answer || '$ref' in answer || !answer.description)
        .map(() => route),
    );
    expect(silent).toEqual([]);
  });

  it('names the headers that a route takes and gives', () => {
    const taken = (route: string) => JSON.stringify(operation(route).parameters);
    const given = (route: string, status: string) => JSON.stringify(operation(route).responses[status]);
    for (const route of ['POST /messages/send', 'POST /waha/sessions', 'DELETE /waha/sessions/{id}'])
      expect(taken(route)).toContain('/parameters/Idempotency-Key');
    expect(taken('GET /messages')).toContain('/parameters/X-Tenant-ID');
    expect(taken('GET /messages')).not.toContain('Idempotency-Key');
    expect(taken('POST /auth/login')).not.toMatch(/Idempotency-Key|X-Tenant-ID/);
    expect(given('GET /messages', '200')).toMatch(/headers\/Link.*headers\/X-Total-Count/);
    expect(given('GET /messages/{id}', '200')).not.toContain('Link');
    expect(given('POST /messages/send', '202')).toContain('headers/Idempotent-Replayed');
    expect(given('POST /messages/send', '429')).toContain('headers/Retry-After');
  });

  it('refers to nothing that it does not hold', () => {
    for (const it of [document, file]) {
      const references = new Set(
        [...JSON.stringify(it).matchAll(/"#\/components\/(\w+)\/([\w-]+)"/g)].map((m) => m.slice(1)),
      );
      for (const [kind = '', name = ''] of references)
        expect(Object.keys(it.components?.[kind as 'schemas'] ?? {})).toContain(name);
    }
  });

  it('offers the two credentials that there are', () => {
    expect(Object.keys(document.components?.securitySchemes ?? {})).toEqual(['bearer', 'api-key']);
  });

  it('groups the routes under the tags that it explains', () => {
    const used = new Set(operationsOf(document).flatMap(({ operation: { tags } }) => tags ?? ['none']));
    expect([...used].sort()).toEqual(document.tags?.map(({ name }) => name).sort());
  });

  it('knows whole numbers, ids and statuses for what they are', () => {
    const { MessageEventResponse, SessionResponse, DatabaseHealthResponse } = (file.components?.schemas ??
      {}) as Record<string, { properties: Record<string, unknown> }>;
    expect(MessageEventResponse?.properties.status).toMatchObject({ enum: MESSAGE_STATUSES });
    expect(SessionResponse?.properties).toMatchObject({
      id: { type: 'string', format: 'uuid' },
      restarts: { type: 'integer' },
    });
    expect(DatabaseHealthResponse?.properties.latency_ms).toMatchObject({ type: 'number', format: 'double' });
    const numbers = [...JSON.stringify(file).matchAll(/\{[^{}]*"type":"number"[^{}]*\}/g)].map(([schema]) => schema);
    expect(numbers.filter((schema) => !/"format":"(double|decimal)"/.test(schema))).toEqual([]);
    const whole = [...JSON.stringify(file).matchAll(/\{[^{}]*"type":"integer"[^{}]*\}/g)].map(([schema]) => schema);
    expect(whole.filter((schema) => /"(?:example|default)":-?\d*\.\d/.test(schema))).toEqual([]);
    // What a signed link ends with is no id.
    const named = operationsOf(file).filter(({ route }) => route.includes('{') && !route.includes('{token}'));
    const chosen = / \/(products|customers|orders)\//;
    for (const { route, operation: it } of named)
      expect([route, it.parameters?.[0]]).toEqual([
        route,
        expect.objectContaining({ description: expect.any(String), schema: chosen.test(route) ? TEXT : UUID }),
      ]);
  });

  it('is served as YAML and as a page that loads nothing from elsewhere', async () => {
    const [yaml, page, script] = await Promise.all(
      ['/api/docs-yaml', '/api/docs', '/api/docs/swagger-ui-bundle.js'].map((url) => app.inject(url)),
    );
    expect(yaml?.body).toMatch(/^openapi: 3\.0\.0/);
    expect(page?.headers['content-type']).toMatch(/^text\/html/);
    expect(page?.headers['content-security-policy']).toContain("script-src 'self'");
    expect(page?.headers['content-security-policy']).not.toContain('upgrade-insecure-requests');
    expect(page?.body).not.toMatch(/(src|href)="https?:/);
    expect(script?.statusCode).toBe(200);
  });
});
