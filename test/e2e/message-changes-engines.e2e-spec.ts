import { startTestApp, type LoggedIn, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';
import { sendsOf, type WireMessage, workingSession } from '../support/whatsapp';

const ALICE = '5511888880000@c.us';

describe.each(['NOWEB', 'GOWS', 'WEBJS'] as const)('changes as %s tells them', (engine) => {
  let app: TestApp;
  let admin: LoggedIn;
  beforeAll(async () => {
    app = await startTestApp({ simulator: { engine } });
    admin = await app.login('TENANT_ADMIN');
  });
  afterAll(() => app.close());

  it('are applied to what was sent and what was received', async () => {
    const session = await workingSession(app, admin.http);
    const phone = (what: string, body: object) =>
      app.simulator.post(`/simulator/sessions/${session.waha_name}/${what}`, body);
    const view = async (id: string) => (await admin.http.get<WireMessage>(`/messages/${id}`)).body;
    const becomes = (id: string, expected: object) =>
      eventually(async () => expect(await view(id)).toMatchObject(expected));

    const text = { session_id: session.id, to: ALICE, text: 'Your order is ready.' };
    const { id: own } = (await admin.http.post<WireMessage>('/messages/send', text)).body;
    await becomes(own, { status: 'read' });
    await phone('inbound', { from: ALICE, text: 'On my weigh', id: '3AB0' });
    const theirs = await eventually(async () => {
      const { body } = await admin.http.get<WireMessage[]>('/messages?direction=inbound');
      if (!body[0]) throw new Error('nothing yet');
      return body[0].id;
    });
    const bareId = (await sendsOf(app, session))[0]?.id;

    await phone('edit', { id: '3AB0', text: 'On my way' });
    await becomes(theirs, { text: 'On my way', edited_at: expect.any(String) });
    await phone('react', { id: bareId, emoji: '🙏' });
    await becomes(own, { reactions: [{ emoji: '🙏', from: ALICE, at: expect.any(String) }] });
    await phone('react', { id: '3AB0', emoji: '👍', from_me: true });
    await becomes(theirs, { reactions: [{ emoji: '👍', from: 'me', at: expect.any(String) }] });
    await phone('react', { id: bareId, emoji: '' });
    await eventually(async () => expect(await view(own)).not.toHaveProperty('reactions'));
    await phone('edit', { id: bareId, text: 'Your order is on its way.' });
    await becomes(own, { text: 'Your order is on its way.', status: 'read' });
    await phone('revoke', { id: bareId });
    await becomes(own, { text: null, status: 'read', revoked_at: expect.any(String) });
    await phone('revoke', { id: '3AB0' });
    await becomes(theirs, { text: null, status: 'received', revoked_at: expect.any(String) });
    const { rows } = await app.owner.query<{ event: string; body: string }>(
      `select event, body from webhook_events where event in ('message.edited', 'message.revoked') order by seq`,
    );
    const shapes = rows.map(({ event, body }) => {
      const { payload } = JSON.parse(body) as { payload: Record<string, unknown> };
      return event === 'message.edited'
        ? [
            event,
            payload.editedMessageId,
            payload.id === `${String(payload.fromMe)}_${ALICE}_${String(payload.editedMessageId)}`,
          ]
        : [event, payload.revokedMessageId, payload.before !== null];
    });
    const ofWebjs = engine === 'WEBJS';
    expect(shapes).toEqual([
      ['message.edited', '3AB0', ofWebjs],
      ['message.edited', bareId, ofWebjs],
      ['message.revoked', bareId, ofWebjs],
      ['message.revoked', '3AB0', ofWebjs],
    ]);
    expect((await phone('edit', { id: 'nobodys', text: 'x' })).status).toBe(404);
    expect((await phone('react', { id: '3AB0' })).status).toBe(400);
  });
});
