import { execFile } from 'node:child_process';
import path from 'node:path';
import { AuditLog } from '../../src/platform/audit/audit-log';
import { NOBODY } from '../../src/platform/audit/audit-record';
import { TEST_SECRETS } from '../support/app';
import { TEST_ROLE_PREFIX } from '../support/run';
import { startTestApp, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';

const ROOT = path.join(__dirname, '../..');

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
  app.app.get(AuditLog).note(app.tenantId, NOBODY, { action: 'LOGOUT', resource: 'thing:1' });
  await app.app.get(AuditLog).flush();
  await eventually(async () => (await app.owner.query('select from audit_pending limit 1')).rowCount === 0);
});

afterAll(() => app.close());

interface Outcome {
  code: number;
  lines: string[];
  errors: string;
}

function run(...args: string[]): Promise<Outcome> {
  const env = {
    PATH: process.env.PATH,
    NODE_ENV: 'test',
    DATABASE_URL: app.db.ownerUrl,
    DATABASE_ROLE_PREFIX: TEST_ROLE_PREFIX,
    WAHA_BASE_URL: 'http://127.0.0.1:9',
    ...TEST_SECRETS,
  };
  const command = ['-r', '@swc-node/register', path.join(ROOT, 'tools/audit-verify.ts'), ...args];
  return new Promise((resolve) => {
    execFile(process.execPath, command, { cwd: ROOT, env }, (error, stdout, stderr) => {
      const code = error ? Number(error.code) : 0;
      resolve({ code, lines: stdout.trimEnd().split('\n'), errors: stderr });
    });
  });
}

it('says of every chain, a line each, that it is whole, and ends with 1 where one is not', async () => {
  const whole = await run();
  expect(whole.code).toBe(0);
  expect(whole.lines[0]).toMatch(/^platform: ok, /);
  const { rows } = await app.owner.query<{ slug: string }>('select slug from tenants where id = $1', [app.tenantId]);
  const slug = rows[0]?.slug ?? '';
  expect(whole.lines).toContainEqual(expect.stringMatching(new RegExp(`^${slug}: ok, 1 checked, 1 sealed, 0 pending`)));
  const changed = await app.owner.query<{ id: string }>(
    `update audit_logs set resource = 'thing:2' where tenant_id = $1 returning id`,
    [app.tenantId],
  );
  const broken = await run('--tenant', slug);
  expect(broken).toMatchObject({ code: 1 });
  expect(broken.lines).toEqual([
    expect.stringMatching(new RegExp(`^${slug}: BROKEN \\(changed record ${changed.rows[0]?.id} seal 1: `)),
  ]);
}, 60_000);

it('knows no tenant that there is not', async () => {
  const { code, errors } = await run('--tenant', 'nobody');
  expect(code).toBe(1);
  expect(errors).toContain('There is no tenant nobody');
}, 60_000);
