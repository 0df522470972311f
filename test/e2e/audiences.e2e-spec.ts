import { makeKey } from '../support/api-keys';
import { makeCustomer, makeOrder } from '../support/customers';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { makeTemplate } from '../support/templates';
import { createSession, sendsOf, workingSession } from '../support/whatsapp';
import { bulk, campaignIs, ledger, phones } from './campaigns.harness';

describe('POST /messages/bulk with an audience of customers', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp();
  });

  afterAll(() => app.close());

  const business = async (): Promise<LoggedIn> => app.login('TENANT_ADMIN', await app.make.tenant());
  const [ada = '', bob = '', eve = '', ann = ''] = phones(4).map((digits) => `+${digits}`);
  const chatsOf = async (owner: LoggedIn, id: string | null) =>
    (await ledger(owner.http, id)).map(({ chat }) => chat).sort();
  const asChats = (...numbers: string[]) => numbers.map((number) => `${number.slice(1)}@c.us`).sort();
  const text = { message: { text: 'x' } };

  it('writes to each of them once, by what is known of them', async () => {
    const owner = await business();
    const session = await workingSession(app, owner.http);
    const template = await makeTemplate(owner.http, '{{name}}/{{email}}/{{tier}}/{{vip_tier}}/{{id}}');
    const whole = { name: 'Ada {{x}}', email: 'ada@example.com', tier: 'platinum', phone: ada };
    await makeCustomer(owner.http, { id: 'a', ...whole });
    await makeOrder(app.owner, owner.tenantId, 'a', { total: '10000.01' });
    await makeCustomer(owner.http, { id: 'b', name: 'Bob', tier: 'platinum', phone: bob });
    await makeCustomer(owner.http, { id: 'c', name: 'Carl', email: 'carl@example.com', tier: 'platinum' });
    const audience = { customers: { tier: 'platinum' } };
    const answer = await bulk(owner.http, { template_id: template.id, audience });
    expect([answer.status, answer.body]).toEqual([
      202,
      {
        ...{ campaign_id: expect.any(String), accepted: 1, folded: 0, rejected_count: 1 },
        rejected: [
          { index: 1, to: bob, code: 'VALIDATION_FAILED', message: expect.stringContaining('variables.email') },
        ],
      },
    ]);
    await campaignIs(owner.http, answer.body.campaign_id, 'finished');
    expect((await sendsOf(app, session)).map(({ chatId, text: said }) => [chatId, said])).toEqual([
      [`${ada.slice(1)}@c.us`, 'Ada {{x}}/ada@example.com/platinum/gold/a'],
    ]);
  });

  it('is of those for whom all conditions hold, who have a phone number and are there', async () => {
    const owner = await business();
    await createSession(owner.http);
    const make = async (id: string, phone: string | null, tags: string[], spent?: string) => {
      await makeCustomer(owner.http, { id, phone, tags, tier: id < 'c' ? 'x' : 'y' });
      if (spent !== undefined) await makeOrder(app.owner, owner.tenantId, id, { total: spent });
    };
    await make('a', ada, ['red', 'blue'], '5000.01');
    await make('b', bob, ['red'], '10000.01');
    await make('c', eve, ['blue', 'red', 'green'], '10000.01');
    await make('d', null, ['red', 'blue'], '10000.01');
    await make('e', ann, ['red', 'blue'], '10000.01');
    expect((await owner.http.delete('/customers/e')).status).toBe(204);
    const reached = async (customers: object) => {
      const answer = await bulk(owner.http, { ...text, scheduled_at: '2026-12-24T00:00:00Z', audience: { customers } });
      const rehearsed = await bulk(owner.http, { ...text, dry_run: true, audience: { customers } });
      if (answer.status !== 202) return [answer.outcome, rehearsed.body.accepted];
      expect(rehearsed.body.accepted).toBe(answer.body.accepted);
      expect(rehearsed.body).toMatchObject({ campaign_id: null, estimate: { seconds: expect.any(Number) } });
      return chatsOf(owner, answer.body.campaign_id);
    };
    expect(await reached({})).toEqual(asChats(ada, bob, eve));
    expect(await reached({ vip_tier: 'gold' })).toEqual(asChats(bob, eve));
    expect(await reached({ vip_tier: 'silver' })).toEqual(asChats(ada));
    expect(await reached({ tags: ['red', 'blue'] })).toEqual(asChats(ada, eve));
    expect(await reached({ vip_tier: 'gold', tags: ['red', 'blue'], tier: 'y' })).toEqual(asChats(eve));
    expect(await reached({ vip_tier: 'gold', tags: ['red', 'blue'], tier: 'x' })).toEqual(['400 VALIDATION_FAILED', 0]);
    expect(await reached({ vip_tier: 'bronze' })).toEqual(['400 VALIDATION_FAILED', 0]);
  });

  it('is read in portions to its end, past portions in which nobody is meant', async () => {
    const owner = await business();
    await createSession(owner.http);
    const far = [1, 2_100, 6_900];
    await app.owner.query(
      `insert into customers (tenant_id, id, name, tags, phone)
        select $1, 'c' || lpad(n::text, 5, '0'), 'x', case when n = any ($2) then '{few}' else '{}' end::text[],
          '+55118' || lpad(n::text, 8, '0') from generate_series(1, 6900) n`,
      [owner.tenantId, far],
    );
    const few = await bulk(owner.http, { ...text, audience: { customers: { tags: ['few'] } } });
    expect([few.status, few.body.accepted]).toEqual([202, 3]);
    const all = await bulk(owner.http, { ...text, audience: { customers: {} } });
    expect([all.status, all.body]).toMatchObject([202, { accepted: 6_900, folded: 0, rejected_count: 0 }]);
  });

  it('of a request that is repeated with its key makes one campaign', async () => {
    const owner = await business();
    await createSession(owner.http);
    await makeCustomer(owner.http, { phone: ada });
    const body = { ...text, audience: { customers: {} } };
    const headers = { 'idempotency-key': 'audience' };
    const first = await bulk(owner.http, body, headers);
    // As it is when the process dies before the answer was kept; somebody has come since.
    await app.owner.query(
      `update idempotency_keys set state = 'running', lease_until = now() - interval '1 s' where key = 'audience'`,
    );
    await makeCustomer(owner.http, { phone: bob });
    const again = await bulk(owner.http, body, headers);
    expect([again.status, again.body.campaign_id]).toEqual([202, first.body.campaign_id]);
    expect(await chatsOf(owner, first.body.campaign_id)).toEqual(asChats(ada));
  });

  it.each<[object, string]>([
    [{ audience: { customers: {} }, recipients: [{ to: ada }] }, 'audience'],
    [{}, 'recipients'],
    [{ audience: {} }, 'audience.customers'],
    [{ audience: null }, 'audience'],
    [{ audience: { customers: { vip_tier: 'platinum' } } }, 'audience.customers.vip_tier'],
    [{ audience: { customers: { tags: [] } } }, 'audience.customers.tags'],
    [{ audience: { customers: { tag: 'x' } } }, 'audience.customers.tag'],
    [{ audience: { customers: {}, contacts: {} } }, 'audience.contacts'],
  ])('refuses %j', async (fields, field) => {
    const owner = await business();
    await createSession(owner.http);
    const answer = await bulk(owner.http, { ...text, ...fields });
    expect([answer.outcome, answer.body.details?.map((it) => it.field)]).toEqual(['400 VALIDATION_FAILED', [field]]);
  });

  it('is for nobody who may not read customers', async () => {
    const owner = await business();
    await createSession(owner.http);
    await makeCustomer(owner.http, { phone: ada });
    const body = { ...text, dry_run: true, audience: { customers: {} } };
    const blind = await makeKey(app, owner.http, { scopes: ['campaigns:manage'] });
    expect((await bulk(blind.http, body)).outcome).toBe('403 FORBIDDEN');
    const seeing = await makeKey(app, owner.http, { scopes: ['campaigns:manage', 'customers:read'] });
    expect((await bulk(seeing.http, body)).body.accepted).toBe(1);
  });
});
