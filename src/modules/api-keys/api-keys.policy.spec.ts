import { type Actor, userActor } from '../../common/actor';
import { type Permission, SCOPES, type TenantRole, TENANT_ROLES } from '../../common/permissions';
import { mayHandle } from './api-keys.policy';

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
