import type { Actor } from '../../common/actor';
import { newId } from '../../common/ids';
import { type Permission, SCOPES, TENANT_ROLES } from '../../common/permissions';
import { mayHandleRole } from './users.policy';

const actor = (change: Partial<Actor>): Actor => ({
  kind: 'key',
  id: newId(),
  tenantId: newId(),
  role: null,
  scopes: null,
  requestsPerMinute: null,
  loginId: null,
  ...change,
});
const scoped = (...scopes: Permission[]) => actor({ scopes });

describe('mayHandleRole', () => {
  it.each(TENANT_ROLES)('lets administrators, of the tenant and of the platform, handle a %s', (role) => {
    expect(mayHandleRole(actor({ role: 'TENANT_ADMIN' }), role)).toBe(true);
    expect(mayHandleRole(actor({ kind: 'platform', role: 'PLATFORM_ADMIN' }), role)).toBe(true);
    expect(mayHandleRole(scoped(...SCOPES), role)).toBe(true);
  });

  it.each(TENANT_ROLES)('lets a key that may only administer users make no %s', (role) => {
    expect(mayHandleRole(scoped('users:manage', 'users:read'), role)).toBe(false);
  });

  it('lets nobody reach above itself', () => {
    expect(mayHandleRole(actor({ role: 'MANAGER' }), 'TENANT_ADMIN')).toBe(false);
    expect(mayHandleRole(actor({ role: 'MANAGER' }), 'MANAGER')).toBe(true);
  });
});
