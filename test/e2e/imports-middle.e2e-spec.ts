import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';
import { ended, linesOf, send } from './imports.harness';

let app: TestApp;
let manager: LoggedIn;

beforeAll(async () => {
  app = await startTestApp();
  manager = await app.login('MANAGER');
});

afterAll(() => app.close());

describe('an import in the middle', () => {
  const COUNT = 5_000;
  const LINES = Array.from({ length: COUNT }, (_, i) => `m_${i},${i % 100 === 7 ? '' : `Name ${i}`},1`);
  const BODY = `id,name,price\n${LINES.join('\n')}`;
  const BAD = LINES.flatMap((line, i) => (line.includes(',,') ? i + 2 : []));

  const begun = async (): Promise<string> => {
    const { body } = await send(manager.http, 'products', BODY);
    await eventually(async () => {
      const { rows } = await app.owner.query(`select from imports where id = $1 and status = 'running' and read > 0`, [
        body.job_id,
      ]);
      return rows.length > 0;
    });
    return body.job_id;
  };

  const isExact = async (id: string): Promise<void> => {
    const made = COUNT - BAD.length;
    expect((await ended(manager.http, id)).rows).toEqual({
      ...{ read: COUNT, inserted: made, updated: 0, unchanged: 0, refused: BAD.length },
    });
    const lines = await manager.http.get(`/imports/${id}/errors?format=ndjson`);
    expect(linesOf<{ line: number }>(lines).map(({ line }) => line)).toEqual(BAD);
    const { rows } = await app.owner.query<{ count: number; version: number }>(
      `select count(*)::int as count, max(version) as version from products where tenant_id = $1 and id like 'm\\_%'`,
      [app.tenantId],
    );
    expect(rows).toEqual([{ count: made, version: 1 }]);
  };

  beforeEach(() => app.owner.query(`delete from products where tenant_id = $1 and id like 'm\\_%'`, [app.tenantId]));

  it('is given up by a worker that counts as dead, and ends complete and exact', async () => {
    const id = await begun();
    const stolen = await app.owner.query(
      `update imports set lease = gen_random_uuid(), due_at = now() where id = $1 and status = 'running'`,
      [id],
    );
    expect(stolen.rowCount).toBe(1);
    await isExact(id);
  });

  it('goes on where it was when the database cuts its connections', async () => {
    const id = await begun();
    await app.owner.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'switchboard app'`,
    );
    await app.owner.query(`update imports set due_at = now() where id = $1 and status = 'running'`, [id]);
    await isExact(id);
  });
});
