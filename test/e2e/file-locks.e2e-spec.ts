import type { Client } from 'pg';
import { blocksSomebody } from '../support/blocked';
import { upload } from '../support/files';
import { makeProduct, type WireProduct } from '../support/products';
import { eventually } from '../support/wait';
import { workingSession } from '../support/whatsapp';
import { bulk, phones } from './campaigns.harness';
import { type MediaWorld, newChat, PNG, startMediaWorld } from './media.harness';

let world: MediaWorld;

beforeAll(async () => {
  world = await startMediaWorld();
});

afterAll(() => world.close());

/** A business of its own with a picture that it keeps, and a session. */
async function business(perDay: number | null = null) {
  const { app } = world;
  const owner = await app.login('TENANT_ADMIN', await app.make.tenant());
  const quotas = `update tenants set quotas = jsonb_build_object('messages_per_day', $2::int) where id = $1`;
  await app.owner.query(quotas, [owner.tenantId, perDay]);
  const session = await workingSession(app, owner.http, `Locks ${owner.tenantId}`);
  return { ...owner, session, picture: (await upload(owner.http, PNG, 'a.png')).id };
}
type Business = Awaited<ReturnType<typeof business>>;

/** A transaction of somebody else, which never gives way where two wait for each other. */
async function another(): Promise<Client> {
  const client = await world.app.db.owner();
  await client.query(`set deadlock_timeout = '1min'`);
  await client.query('begin');
  return client;
}

async function ends(client: Client): Promise<void> {
  await client.query('commit');
  await client.end();
}

const holdsLane = (client: Client, { session }: Business) =>
  client.query('select from lanes where session_id = $1 for update', [session.id]);
const holdsFile = (client: Client, id: string) => client.query('select from files where id = $1 for update', [id]);
/** Whether somebody holds the file, in whatever way, so that it cannot be deleted. */
async function isHeld(id: string): Promise<boolean> {
  const text = 'select from files where id = $1 for update nowait';
  try {
    await world.app.owner.query(text, [id]);
    return false;
  } catch (error) {
    if ((error as { code?: string }).code === '55P03') return true;
    throw error;
  }
}

const campaign = (shop: Business) =>
  bulk(shop.http, {
    message: { type: 'image', media: { file_id: shop.picture } },
    recipients: phones(12).map((to) => ({ to })),
  });
const send = ({ http }: Business, what: object) => http.post('/messages/send', { to: newChat(), ...what });
const message = (shop: Business) => send(shop, { type: 'image', media: { file_id: shop.picture } });

describe('whoever sends a file', () => {
  it.each([
    ['a campaign', campaign, null],
    ['a campaign of a bounded day', campaign, 1_000],
    ['a message', message, null],
    ['a message of a bounded day', message, 1_000],
  ] as const)('holds its lanes first: %s', async (_what, sends, perDay) => {
    const shop = await business(perDay);
    const other = await another();
    await holdsLane(other, shop);
    const answer = sends(shop);
    await blocksSomebody(other, 'it waits for the lane');
    expect(await isHeld(shop.picture)).toBe(false);
    await ends(other);
    expect((await answer).status).toBe(202);
  });

  it.each([
    ['a campaign', campaign],
    ['a message', message],
  ] as const)("holds the file before the tenant's day: %s", async (_what, sends) => {
    const shop = await business(1_000);
    expect((await send(shop, { text: 'The day begins' })).status).toBe(202);
    const other = await another();
    await other.query('select from tenant_usage where tenant_id = $1 for update', [shop.tenantId]);
    const answer = sends(shop);
    await eventually(() => isHeld(shop.picture), { what: 'the file to be held while it waits for the day' });
    await ends(other);
    expect((await answer).status).toBe(202);
  });

  it.each([
    ['a campaign', campaign, null],
    ['a campaign of a bounded day', campaign, 1_000],
    ['a message', message, null],
  ] as const)('is done again where the database breaks a deadlock: %s', async (_what, sends, perDay) => {
    const shop = await business(perDay);
    const other = await another();
    await holdsFile(other, shop.picture);
    const answer = sends(shop);
    await blocksSomebody(other, 'it waits for the file');
    await holdsLane(other, shop);
    await ends(other);
    expect((await answer).status).toBe(202);
  });
});

describe('whoever deletes a file', () => {
  it('holds what shows it first, as whoever begins to show it', async () => {
    const shop = await business();
    const [shown, fresh] = [
      await makeProduct(shop.http, { image_file_id: shop.picture }),
      await makeProduct(shop.http, {}),
    ];
    const other = await another();
    await other.query('select from products where id = $1 for update', [shown.id]);
    const answer = shop.http.delete(`/files/${shop.picture}`);
    await blocksSomebody(other, 'it waits for the product');
    expect(await isHeld(shop.picture)).toBe(false);
    // What nobody could foresee is taken away all the same.
    await other.query('update products set image_file_id = $2 where id = $1', [fresh.id, shop.picture]);
    await ends(other);
    expect((await answer).status).toBe(204);
    for (const { id } of [shown, fresh]) {
      expect((await shop.http.get<WireProduct>(`/products/${id}`)).body.image_file_id).toBeNull();
      const { rows } = await world.app.owner.query<{ metadata: unknown }>(
        `select metadata from audit_logs where resource = $1 and action = 'PRODUCT_UPDATED'`,
        [`product:${id}`],
      );
      expect(rows).toEqual([{ metadata: { changed: ['image_file_id'] } }]);
    }
  });
});
