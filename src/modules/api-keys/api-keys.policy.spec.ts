import { type Actor, userActor } from '../../common/actor';
import { type Permission, SCOPES, type TenantRole, TENANT_ROLES } from '../../common/permissions';
import { type KeyBounds, looserBounds, mayHandle } from './api-keys.policy';

const user = (role: TenantRole): Actor => userActor({ id: 'u', tenantId: 't', role, loginId: 'l' });
const key = (rights: { role?: TenantRole; scopes?: Permission[] }): Actor => ({
  kind: 'key',
  id: 'k',
  tenantId: 't',
  role: rights.role ?? null,
  scopes: rights.scopes ?? null,
  requestsPerMinute: null,
  loginId: null,
});
const role = (name: TenantRole) => ({ role: name, scopes: null });
const scopes = (...names: Permission[]) => ({ role: null, scopes: names });

describe('whoever handles a key', () => {
  it.each(TENANT_ROLES)('may, as TENANT_ADMIN, handle one of the role %s', (name) => {
    expect(mayHandle(user('TENANT_ADMIN'), role(name))).toBe(true);
  });

  it('may, as TENANT_ADMIN, handle one of every scope that there is', () => {
    expect(mayHandle(user('TENANT_ADMIN'), scopes(...SCOPES))).toBe(true);
  });

  it('may, as a key of the role TENANT_ADMIN, handle another one of it', () => {
    expect(mayHandle(key({ role: 'TENANT_ADMIN' }), role('TENANT_ADMIN'))).toBe(true);
  });

  it.each(TENANT_ROLES)('may not, as a key that may only manage keys, handle one of the role %s', (name) => {
    expect(mayHandle(key({ scopes: ['api-keys:manage'] }), role(name))).toBe(false);
  });

  it('may pass on what it holds and nothing beside it', () => {
    const actor = key({ scopes: ['api-keys:manage', 'messages:read'] });
    expect(mayHandle(actor, scopes('messages:read'))).toBe(true);
    expect(mayHandle(actor, scopes('api-keys:manage', 'messages:read'))).toBe(true);
    expect(mayHandle(actor, scopes('messages:read', 'messages:send'))).toBe(false);
  });
});

describe('the bounds of a key', () => {
  const at = (iso: string) => new Date(iso);
  const bounds = (some: Partial<KeyBounds> = {}): KeyBounds => ({
    expires_at: null,
    requests_per_minute: null,
    allowed_cidrs: [],
    ...some,
  });
  const own = bounds({
    expires_at: at('2030-01-01T00:00:00Z'),
    requests_per_minute: 60,
    allowed_cidrs: ['10.0.0.0/8', '2001:db8::/32'],
  });

  it('are no looser where they are the same', () => {
    expect(looserBounds(own, { ...own })).toEqual([]);
    expect(looserBounds(bounds(), bounds())).toEqual([]);
  });

  it('are whatever they want to be where one’s own are none', () => {
    expect(looserBounds(bounds(), own)).toEqual([]);
  });

  it('are all looser where there are none', () => {
    expect(looserBounds(own, bounds())).toEqual(['expires_at', 'requests_per_minute', 'allowed_cidrs']);
  });

  it.each<[keyof KeyBounds, Partial<KeyBounds>]>([
    ['expires_at', { expires_at: at('2030-01-01T00:00:00.001Z') }],
    ['expires_at', { expires_at: null }],
    ['requests_per_minute', { requests_per_minute: 61 }],
    ['requests_per_minute', { requests_per_minute: null }],
    ['allowed_cidrs', { allowed_cidrs: [] }],
    ['allowed_cidrs', { allowed_cidrs: ['10.0.0.0/7'] }],
    ['allowed_cidrs', { allowed_cidrs: ['10.1.0.0/16', '192.0.2.1'] }],
    ['allowed_cidrs', { allowed_cidrs: ['2001:db8::/31'] }],
    ['allowed_cidrs', { allowed_cidrs: ['::/0'] }],
  ])('are looser in %s by %j', (bound, some) => {
    expect(looserBounds(own, { ...own, ...some })).toEqual([bound]);
  });

  it.each<Partial<KeyBounds>>([
    { expires_at: at('2029-12-31T00:00:00Z') },
    { requests_per_minute: 1 },
    { allowed_cidrs: ['10.1.0.0/16', '10.2.3.4', '::ffff:10.1.0.0/112', '2001:db8:1::/48'] },
  ])('are tighter by %j', (some) => {
    expect(looserBounds(own, { ...own, ...some })).toEqual([]);
  });
});
