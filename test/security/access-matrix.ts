import type { Permission } from '../../src/common/permissions';

/** What a route asks for, and what it answers to whoever may call it. */
export interface ExpectedAccess {
  /** Written here a second time on purpose; `public` asks for nothing. Who holds it, the role table says. */
  permission: Permission | 'public';
  /** The outcome of the call that the matrix makes: an empty body, an id that nobody has. Nothing is changed by it. */
  allowed: string;
}

const MALFORMED = '400 VALIDATION_FAILED';
const NOBODYS = '404 NOT_FOUND';

const open = (allowed: string): ExpectedAccess => ({ permission: 'public', allowed });
const needs = (permission: Permission, allowed: string): ExpectedAccess => ({ permission, allowed });

/**
 * Every route with what it asks for. A route that is not here fails the test, as does one that is here and not in the router;
 * what is here is spec/general.md's and identity.md's word, not the code's.
 */
export const EXPECTED_ACCESS: Record<string, ExpectedAccess> = {
  'POST /auth/login': open(MALFORMED),
  'POST /auth/refresh': open(MALFORMED),
  'POST /auth/token': open(MALFORMED),
  'POST /auth/logout': needs('login:end', '204'),
  'GET /auth/profile': needs('profile:read', '200'),
  'POST /auth/password': needs('password:change', MALFORMED),
  'GET /auth/sessions': needs('profile:own', '200'),
  'DELETE /auth/sessions/:id': needs('login:end', NOBODYS),
  'POST /auth/introspect': needs('introspect', MALFORMED),
  'POST /users/login': open(MALFORMED),
  'POST /users/register': open(MALFORMED),
  'GET /users/me': needs('profile:own', '200'),
  'PATCH /users/me': needs('profile:own', '200'),
  'GET /users': needs('users:read', '200'),
  'POST /users': needs('users:manage', MALFORMED),
  'GET /users/:id': needs('users:read', NOBODYS),
  'PUT /users/:id': needs('users:manage', NOBODYS),
  'PATCH /users/:id': needs('users:manage', NOBODYS),
  'DELETE /users/:id': needs('users:manage', NOBODYS),
  'GET /tenants': needs('tenants:manage', '200'),
  'POST /tenants': needs('tenants:manage', MALFORMED),
  'GET /tenants/current': needs('tenant:read', '200'),
  'PATCH /tenants/current': needs('tenant:manage', '200'),
  'GET /tenants/current/usage': needs('tenant:read', '200'),
  'GET /tenants/:id': needs('tenants:manage', NOBODYS),
  'PATCH /tenants/:id': needs('tenants:manage', NOBODYS),
  'DELETE /tenants/:id': needs('tenants:manage', NOBODYS),
  'GET /api-keys': needs('api-keys:manage', '200'),
  'POST /api-keys': needs('api-keys:manage', MALFORMED),
  'GET /api-keys/:id': needs('api-keys:manage', NOBODYS),
  'PATCH /api-keys/:id': needs('api-keys:manage', NOBODYS),
  'DELETE /api-keys/:id': needs('api-keys:manage', NOBODYS),
  'POST /api-keys/:id/rotate': needs('api-keys:manage', NOBODYS),
  'GET /audit/logs': needs('audit:read', '200'),
  'GET /audit/logs/export': needs('audit:read', '200'),
  'GET /audit/verify': needs('audit:verify', '200'),
  'GET /waha/servers': needs('servers:manage', '200'),
  'POST /waha/servers': needs('servers:manage', MALFORMED),
  'GET /waha/servers/:id': needs('servers:manage', NOBODYS),
  'PATCH /waha/servers/:id': needs('servers:manage', NOBODYS),
  'DELETE /waha/servers/:id': needs('servers:manage', NOBODYS),
  'POST /waha/servers/:id/drain': needs('servers:manage', NOBODYS),
  'POST /waha/servers/:id/activate': needs('servers:manage', NOBODYS),
  'GET /waha/sessions': needs('sessions:read', '200'),
  'POST /waha/sessions': needs('sessions:manage', MALFORMED),
  'GET /waha/sessions/:id': needs('sessions:read', NOBODYS),
  'PATCH /waha/sessions/:id': needs('sessions:manage', NOBODYS),
  'DELETE /waha/sessions/:id': needs('sessions:manage', NOBODYS),
  'GET /waha/sessions/:id/qr': needs('sessions:pair', NOBODYS),
  'POST /waha/sessions/:id/pairing-code': needs('sessions:manage', MALFORMED),
  'POST /waha/sessions/:id/start': needs('sessions:manage', NOBODYS),
  'POST /waha/sessions/:id/stop': needs('sessions:manage', NOBODYS),
  'POST /waha/sessions/:id/restart': needs('sessions:manage', NOBODYS),
  'POST /waha/sessions/:id/logout': needs('sessions:manage', NOBODYS),
  'GET /messages': needs('messages:read', '200'),
  'GET /messages/stats': needs('messages:read', '200'),
  'POST /messages/send': needs('messages:send', MALFORMED),
  'POST /messages/bulk': needs('campaigns:manage', MALFORMED),
  'GET /campaigns': needs('campaigns:read', '200'),
  'GET /campaigns/:id': needs('campaigns:read', NOBODYS),
  'GET /campaigns/:id/recipients': needs('campaigns:read', NOBODYS),
  'POST /campaigns/:id/pause': needs('campaigns:manage', NOBODYS),
  'POST /campaigns/:id/resume': needs('campaigns:manage', NOBODYS),
  'POST /campaigns/:id/cancel': needs('campaigns:manage', NOBODYS),
  'GET /messages/:id': needs('messages:read', NOBODYS),
  'GET /messages/:id/media': needs('messages:read', NOBODYS),
  'GET /messages/:id/events': needs('messages:read', NOBODYS),
  'POST /messages/:id/cancel': needs('messages:send', NOBODYS),
  'POST /messages/:id/retry': needs('messages:send', NOBODYS),
  'GET /templates': needs('templates:read', '200'),
  'POST /templates': needs('templates:manage', MALFORMED),
  'GET /templates/:id': needs('templates:read', NOBODYS),
  'PATCH /templates/:id': needs('templates:manage', NOBODYS),
  'DELETE /templates/:id': needs('templates:manage', NOBODYS),
  'POST /products/import': needs('products:manage', '415 UNSUPPORTED_MEDIA_TYPE'),
  'POST /customers/import': needs('customers:manage', '415 UNSUPPORTED_MEDIA_TYPE'),
  'GET /imports/:id': needs('imports:read', NOBODYS),
  'GET /imports/:id/errors': needs('imports:read', NOBODYS),
  'GET /products/export': needs('products:read', '200'),
  'GET /customers/export': needs('customers:read', '200'),
  'GET /orders/export': needs('orders:read', '200'),
  'GET /media/:token': open(NOBODYS),
  'POST /webhooks/waha': open('401 AUTHENTICATION_FAILED'),
  'GET /webhooks/health': open('200'),
  'GET /webhooks/events': needs('webhooks:manage', '200'),
  'GET /webhooks/events/:id': needs('webhooks:manage', NOBODYS),
  'POST /webhooks/events/:id/replay': needs('webhooks:manage', NOBODYS),
  'GET /health': open('200'),
  'GET /health/db': open('200'),
  'GET /health/details': needs('health:details', '200'),
  'GET /ready': open('200'),
  'GET /metrics': open('200'),
};
