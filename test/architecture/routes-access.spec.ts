import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { roleMay, ROLES } from '../../src/common/permissions';
import { handlersOf, type HandlerAccess } from '../../src/platform/http/access-audit';
import { createTestApp } from '../support/app';

describe('every route', () => {
  let app: NestFastifyApplication;
  let handlers: HandlerAccess[];

  beforeAll(async () => {
    app = await createTestApp({ RATE_LIMIT_PER_MINUTE: '100000', AUTH_RATE_LIMIT_PER_MINUTE: '100000' });
    handlers = handlersOf(app);
  });

  afterAll(() => app.close());

  it('says who may call it', () => {
    expect(handlers.length).toBeGreaterThan(5);
    expect(handlers.filter(({ rule }) => rule === null)).toEqual([]);
  });

  it('has an address of its own', () => {
    const routes = handlers.map(({ route }) => route);
    expect(routes.filter((route, index) => routes.indexOf(route) !== index)).toEqual([]);
  });

  it('that is open or uncounted says why', () => {
    const reasons = handlers.flatMap(({ rule }) =>
      [rule?.access, rule?.limit].flatMap((mark) => (mark && 'why' in mark ? [mark.why] : [])),
    );
    expect(reasons.length).toBeGreaterThan(0);
    expect(reasons.filter((why) => why.trim().length < 5)).toEqual([]);
  });

  it('asks for a permission that some role holds', () => {
    const orphans = handlers.filter(
      ({ rule }) => rule?.access.kind === 'permission' && !ROLES.some((role) => holds(role, rule.access)),
    );
    expect(orphans).toEqual([]);
  });

  it('that is not open refuses whoever brings no credential, and whoever brings a wrong one', async () => {
    const closed = handlers.filter(({ rule }) => rule?.access.kind === 'permission');
    for (const { route } of closed)
      for (const headers of [{}, { authorization: 'Bearer wrong' }]) {
        const [method, path = ''] = route.split(' ');
        const url = path.replaceAll(/:\w+/g, '01890000-0000-7000-8000-000000000001');
        const answer = await app.inject({ method: method as 'GET', url, headers });
        expect([route, answer.statusCode]).toEqual([route, 401]);
      }
  });
});

function holds(role: (typeof ROLES)[number], access: NonNullable<HandlerAccess['rule']>['access']): boolean {
  return access.kind === 'permission' && roleMay(role, access.permission);
}
