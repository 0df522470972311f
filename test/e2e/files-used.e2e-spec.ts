import { makeKey } from '../support/api-keys';
import { blocksSomebody } from '../support/blocked';
import { upload } from '../support/files';
import type { HttpAnswer } from '../support/http-client';
import { makeProduct } from '../support/products';
import type { LoggedIn } from '../support/running-app';
import { becomes } from '../support/whatsapp';
import { ADMIN_API_KEY } from '../support/waha-pool';
import { bulk, phones } from './campaigns.harness';
import { type MediaWorld, newChat, PNG, startMediaWorld } from './media.harness';

let world: MediaWorld;

beforeAll(async () => {
  world = await startMediaWorld({ ADMIN_API_KEY });
});

afterAll(() => world.close());

describe('a file that a key names', () => {
  const all = ['messages:send', 'messages:read', 'campaigns:manage', 'products:manage', 'files:write'];

  /** What the key gets for each way to hand the file on. */
  async function waysOf(scopes: string[]): Promise<string[]> {
    const { http } = await makeKey(world.app, world.admin.http, { scopes });
    const file = await upload(world.admin.http, PNG, 'secret.png');
    const { id } = await makeProduct(world.admin.http);
    const message = { type: 'image', media: { file_id: file.id } };
    const answers: HttpAnswer<never>[] = [
      await http.post('/messages/send', { session_id: world.session.id, to: newChat(), ...message }),
      (await bulk(http, { message, recipients: [{ to: phones(1)[0] }], dry_run: true })) as never,
      await http.post('/products', { name: 'Pictured', price: 1, image_file_id: file.id }),
      await http.call('PATCH', `/products/${id}`, { image_file_id: file.id }),
      await http.call('PUT', `/products/${id}`, { image_file_id: file.id }),
      await http.post(`/files/${file.id}/link`, {}),
    ];
    return answers.map(({ outcome }) => outcome);
  }

  it('is handed on only where it may read files', async () => {
    expect(await waysOf(all)).toEqual(Array(6).fill('403 FORBIDDEN'));
    expect(await waysOf([...all, 'files:read'])).toEqual(['202', '202', '201', '200', '200', '201']);
  });

  it('is no matter where the product has that picture already, unless it is changed meanwhile', async () => {
    const { http } = await makeKey(world.app, world.admin.http, { scopes: [...all, 'products:read'] });
    const [file, other] = [
      await upload(world.admin.http, PNG, 'shown.png'),
      await upload(world.admin.http, PNG, 'other.png'),
    ];
    const { id } = await makeProduct(world.admin.http, { image_file_id: file.id });
    const named = { image_file_id: file.id };
    expect((await http.call('PUT', `/products/${id}`, { ...named, name: 'Renamed' })).outcome).toBe('200');
    expect((await http.call('PATCH', `/products/${id}`, { image_file_id: other.id })).outcome).toBe('403 FORBIDDEN');
    const holder = await world.app.db.owner();
    try {
      await holder.query('begin');
      await holder.query('update products set image_file_id = $2 where id = $1', [id, other.id]);
      const answer = http.call('PATCH', `/products/${id}`, { ...named, name: 'Again' });
      await blocksSomebody(holder, 'the product to wait');
      await holder.query('commit');
      expect((await answer).outcome).toBe('403 FORBIDDEN');
    } finally {
      await holder.end();
    }
    const { body } = await http.get<{ name: string; image_file_id: string }>(`/products/${id}`);
    expect([body.name, body.image_file_id]).toEqual(['Renamed', other.id]);
  });

  it('is no matter where none is named: a key needs no right to files to write of something else', async () => {
    const { http } = await makeKey(world.app, world.admin.http, { scopes: all });
    const text = { session_id: world.session.id, to: newChat(), text: 'hello' };
    expect((await http.post('/messages/send', text)).status).toBe(202);
    expect((await http.post('/products', { name: 'Plain', price: 1, image_file_id: null })).status).toBe(201);
  });
});

describe('signed links of a tenant that is suspended', () => {
  const platform = () => world.app.anybody.with({ 'x-api-key': ADMIN_API_KEY });
  const become = async (status: string) =>
    expect((await platform().call('PATCH', `/tenants/${world.app.tenantId}`, { status })).status).toBe(200);
  const opened = async (links: string[]) =>
    Promise.all(links.map(async (link) => (await world.app.anybody.get(new URL(link).pathname)).outcome));

  it('open nothing until it is active again', async () => {
    const file = await upload(world.admin.http, PNG, 'linked.png');
    const { url } = (await world.admin.http.post<{ url: string }>(`/files/${file.id}/link`, { expires_in_s: 600_000 }))
      .body;
    const message = await world.sendMedia('image', { file_id: file.id });
    await becomes(world.admin.http, message.id, 'read');
    const call = world.callsTo('/api/sendImage').find(({ chatId }) => chatId === message.chat);
    const links = [url, (call?.file as { url: string }).url];
    expect(await opened(links)).toEqual(['200', '200']);
    await become('suspended');
    expect(await opened(links)).toEqual(['404 NOT_FOUND', '404 NOT_FOUND']);
    await become('active');
    expect(await opened(links)).toEqual(['200', '200']);
  });

  it('open nothing once it is deleted', async () => {
    const owner = await world.app.login('TENANT_ADMIN', await world.app.make.tenant());
    const file = await upload(owner.http, PNG, 'linked.png');
    const { url } = (await owner.http.post<{ url: string }>(`/files/${file.id}/link`, {})).body;
    expect(await opened([url])).toEqual(['200']);
    expect((await platform().delete(`/tenants/${owner.tenantId}`)).status).toBeLessThan(300);
    expect(await opened([url])).toEqual(['404 NOT_FOUND']);
  });
});

describe('a picture that is deleted while a product takes it up', () => {
  const noFile = ['400 VALIDATION_FAILED', 'image_file_id'];
  const seen = ({ outcome, body }: HttpAnswer<unknown>) => [
    outcome,
    (body as { details?: { field: string }[] }).details?.[0]?.field,
  ];

  /** Deletes the file while the work, which has looked at it already, waits for what the statement holds. */
  async function deletedDuring(
    { hold, params }: { hold: string; params: unknown[] },
    work: (fileId: string, manager: LoggedIn) => Promise<HttpAnswer<unknown>>,
  ): Promise<unknown[]> {
    const manager = await world.app.login('MANAGER');
    const file = await upload(manager.http, PNG, 'gone.png');
    const holder = await world.app.db.owner();
    try {
      await holder.query('begin');
      await holder.query(hold, params);
      const answer = work(file.id, manager);
      await blocksSomebody(holder, 'the product to wait');
      expect((await manager.http.delete(`/files/${file.id}`)).status).toBe(204);
      await holder.query('rollback');
      return seen(await answer);
    } finally {
      await holder.end();
    }
  }

  it.each(['PUT', 'PATCH'])('is a fault of the field (%s)', async (method) => {
    const { id } = await makeProduct(world.admin.http);
    const hold = { hold: 'select from products where id = $1 for update', params: [id] };
    const outcome = await deletedDuring(hold, (image_file_id, { http }) =>
      http.call(method, `/products/${id}`, { image_file_id }),
    );
    expect(outcome).toEqual(noFile);
  });

  it('is a fault of the field (POST)', async () => {
    const product = { id: 'prod_pictured', name: 'Pictured', price: 1 };
    const hold = `insert into products (tenant_id, id, name, price, stock, attributes) values ($1, $2, $3, $4, 0, '{}')`;
    const params = [world.app.tenantId, product.id, product.name, product.price];
    const outcome = await deletedDuring({ hold, params }, (image_file_id, { http }) =>
      http.post('/products', { ...product, image_file_id }),
    );
    expect(outcome).toEqual(noFile);
    expect((await world.admin.http.get(`/products/${product.id}`)).status).toBe(404);
  });
});
