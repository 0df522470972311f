import { newId } from '../../src/common/ids';
import { blocksSomebody } from '../support/blocked';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import type { WireMessage } from '../support/whatsapp';

describe('messages that somebody locks in the other order', () => {
  let app: TestApp;
  let admin: LoggedIn;

  beforeAll(async () => {
    app = await startTestApp();
    admin = await app.login('TENANT_ADMIN');
  });

  afterAll(() => app.close());

  it.each([
    ['cancel', 'queued', 200, 'cancelled'],
    ['retry', 'failed', 202, 'queued'],
  ] as const)('%s is done again when the database breaks the deadlock', async (action, status, code, becomes) => {
    const { make, db } = app;
    const session = await make.session(admin.tenantId);
    const id = await make.message(session, { status, created_by: newId() });
    const other = await db.owner();
    await other.query(`set deadlock_timeout = '1min'`); // the service's statement is the one that gives way
    await other.query('begin');
    await other.query(`select from messages where id = $1 for update`, [id]);
    const answer = admin.http.post<WireMessage>(`/messages/${id}/${action}`, {});
    await blocksSomebody(other, `${action} waits for the message`);
    await other.query(`select from lanes where session_id = $1 for update`, [session.id]);
    await other.query('commit');
    await other.end();
    expect(await answer).toMatchObject({ status: code, body: { id, status: becomes } });
    const { rows } = await app.owner.query(`select status from message_events where message_id = $1`, [id]);
    expect(rows).toEqual([{ status: becomes }]);
  });
});
