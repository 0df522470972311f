import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
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

describe('the OpenAPI document', () => {
  let app: NestFastifyApplication;
  let document: OpenAPIObject;

  beforeAll(async () => {
    app = await createTestApp();
    document = (await app.inject('/api/docs-json')).json();
  });

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
    const file = JSON.parse(readFileSync(path.join(__dirname, '../../docs/openapi.json'), 'utf8')) as OpenAPIObject;
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
