import { Controller, Get, NotFoundException, Param, Req } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import type { Client } from 'pg';
import { type Actor, PLATFORM_ADMIN_ID, PLATFORM_TENANT_ID } from '../../src/common/actor';
import { newId } from '../../src/common/ids';
import { AuditLog } from '../../src/platform/audit/audit-log';
import { AuditLogModule } from '../../src/platform/audit/audit.module';
import { Public } from '../../src/platform/http/access.decorators';
import { freshDatabase, type TestDatabase } from '../support/database';
import { createPlatformApp } from '../support/platform-app';

/** Lets the caller be the platform administrator inside the tenant of the address. */
@Controller('visits')
class VisitsController {
  @Get(':tenant/:found')
  @Public('A test acts as the platform administrator')
  visit(@Req() request: FastifyRequest, @Param('tenant') tenantId: string, @Param('found') found: string): object {
    const none = { scopes: null, requestsPerMinute: null, loginId: null };
    const actor: Actor = { kind: 'platform', id: PLATFORM_ADMIN_ID, tenantId, role: 'PLATFORM_ADMIN', ...none };
    request.context.actor = actor;
    if (found !== 'found') throw new NotFoundException();
    return {};
  }
}

let db: TestDatabase;
let owner: Client;
let app: NestFastifyApplication;

beforeAll(async () => {
  db = await freshDatabase();
  owner = await db.owner();
  app = await createPlatformApp({
    ownerUrl: db.ownerUrl,
    rolePrefix: 'switchboard_visits_test',
    controllers: [VisitsController],
    imports: [AuditLogModule],
  });
});

afterAll(async () => {
  await app.close();
  await owner.end();
  await db.drop();
});

async function recorded(tenantId: string): Promise<unknown[]> {
  await app.get(AuditLog).flush();
  const { rows } = await owner.query<Record<string, unknown>>(
    'select actor_kind, actor_id, action, resource, metadata from audit_logs where tenant_id = $1 order by id',
    [tenantId],
  );
  return rows;
}

const RESOURCE = 'GET /visits/:tenant/:found';
const who = { actor_kind: 'platform', actor_id: PLATFORM_ADMIN_ID, resource: RESOURCE };

it('what the platform administrator does inside a tenant is in the trail of the tenant', async () => {
  const tenant = newId();
  await app.inject({ url: `/visits/${tenant}/found` });
  expect(await recorded(tenant)).toEqual([
    { ...who, action: 'PLATFORM_ACCESS', metadata: { status: 200, ids: { tenant } } },
  ]);
});

it('and a refusal there is both', async () => {
  const tenant = newId();
  await app.inject({ url: `/visits/${tenant}/nothing` });
  const metadata = { status: 404, code: 'NOT_FOUND', ids: { tenant } };
  expect(await recorded(tenant)).toEqual([
    { ...who, action: 'PLATFORM_ACCESS', metadata },
    { ...who, action: 'ACCESS_DENIED', metadata },
  ]);
});

it('without a tenant it visits none', async () => {
  await app.inject({ url: `/visits/${PLATFORM_TENANT_ID}/found` });
  expect(await recorded(PLATFORM_TENANT_ID)).toEqual([]);
});
