import { userActor } from '../../src/common/actor';
import { newId } from '../../src/common/ids';
import { BulkDrafts } from '../../src/modules/campaigns/bulk-drafts.service';
import { BulkService } from '../../src/modules/campaigns/bulk.service';
import type { Recipient } from '../../src/modules/campaigns/recipients';
import { ObjectRemovals } from '../../src/modules/files/object-removals.service';
import type { UsageResponse } from '../../src/modules/tenants/dto/usage.response';
import { blocksSomebody } from '../support/blocked';
import { upload } from '../support/files';
import { storageDifferences } from '../support/storage';
import { eventually } from '../support/wait';
import { sendsOf, workingSession } from '../support/whatsapp';
import { bulk, campaignIs, ledger, phones } from './campaigns.harness';
import { objectsIn } from './imports.harness';
import { digestOf, type MediaWorld, PNG, startMediaWorld } from './media.harness';

let world: MediaWorld;

beforeAll(async () => {
  world = await startMediaWorld();
});

afterAll(() => world.close());

/** Whatever a test does, the running totals are what is kept. */
afterEach(async () => expect(await storageDifferences(world.app.owner)).toEqual([]));

/** A business of its own with a picture that it keeps, and a session. */
async function business() {
  const { app } = world;
  const owner = await app.login('TENANT_ADMIN', await app.make.tenant());
  const session = await workingSession(app, owner.http, `Shop ${owner.tenantId}`);
  return { ...owner, session, picture: await upload(owner.http, PNG, 'spring.png') };
}

const to = (numbers: string[]) => numbers.map((number) => ({ to: number }));
const pictured = (fileId: string) => ({ type: 'image', media: { file_id: fileId, caption: 'Spring is here' } });
const used = async ({ http }: Awaited<ReturnType<typeof business>>) =>
  (await http.get<UsageResponse>('/tenants/current/usage')).body.storage_bytes.used;

describe('a campaign that sends a stored file', () => {
  it('sends it to everybody, and stores it once', async () => {
    const shop = await business();
    // Nothing further may be kept: nothing further is.
    await world.app.owner.query(
      `update tenants set quotas = jsonb_build_object('storage_bytes', $2::int) where id = $1`,
      [...[shop.tenantId, PNG.length]],
    );
    const answer = await bulk(shop.http, { message: pictured(shop.picture.id), recipients: to(phones(40)) });
    expect([answer.status, answer.body]).toMatchObject([202, { accepted: 40, rejected_count: 0 }]);
    await campaignIs(shop.http, answer.body.campaign_id, 'finished');
    const sends = await sendsOf(world.app, shop.session);
    expect(sends.map(({ chatId }) => chatId).sort()).toEqual(phones(40).map((number) => `${number}@c.us`));
    for (const send of sends)
      expect(send).toMatchObject({
        text: 'Spring is here',
        media: { filename: 'spring.png', mimetype: 'image/png', size: PNG.length, sha256: digestOf(PNG) },
      });
    const [message] = await ledger(shop.http, answer.body.campaign_id);
    expect(message?.media).toMatchObject({ state: 'stored', file_id: shop.picture.id, mime_type: 'image/png' });
    expect((await shop.http.get(`/messages/${message?.id}/media`)).bytes.equals(PNG)).toBe(true);
    expect([await used(shop), (await objectsIn(world.folder, shop.tenantId)).length]).toEqual([PNG.length, 1]);
  });

  it('goes out whole where the file is deleted while it waits', async () => {
    const shop = await business();
    const scheduled_at = new Date(Date.now() + 3_600_000);
    const body = { message: pictured(shop.picture.id), recipients: to(phones(12)), scheduled_at };
    const { campaign_id: id } = (await bulk(shop.http, body)).body;
    expect((await shop.http.delete(`/files/${shop.picture.id}`)).status).toBe(204);
    expect(await used(shop)).toBe(PNG.length);
    await world.app.owner.query(`update campaigns set scheduled_at = now() where id = $1`, [id]);
    await campaignIs(shop.http, id, 'finished');
    const sends = await sendsOf(world.app, shop.session);
    expect(sends.map(({ media }) => media?.sha256)).toEqual(Array(12).fill(digestOf(PNG)));
  });

  it('is refused with a file that is not there, not theirs, empty, or no picture', async () => {
    const [shop, other] = [await business(), await business()];
    const [text, empty, deleted] = [
      await upload(shop.http, 'a text'),
      await upload(shop.http, ''),
      await upload(shop.http, PNG),
    ];
    await shop.http.delete(`/files/${deleted.id}`);
    const outcome = async (id: string) =>
      (await bulk(shop.http, { message: pictured(id), recipients: to(phones(2)) })).outcome;
    for (const { id } of [other.picture, deleted]) expect(await outcome(id)).toBe('404 NOT_FOUND');
    for (const { id } of [text, empty]) expect(await outcome(id)).toBe('400 VALIDATION_FAILED');
    expect((await shop.http.get('/campaigns')).body).toEqual([]);
  });

  it.each([null, 100_000])(
    'breaks off where the file is deleted while its recipients come in, and leaves nothing (messages a day: %s)',
    async (perDay) => {
      const shop = await business();
      await world.app.owner.query(
        `update tenants set quotas = jsonb_build_object('messages_per_day', $2::int) where id = $1`,
        [...[shop.tenantId, perDay]],
      );
      const { userId: id, tenantId } = shop;
      const actor = userActor({ id, tenantId, role: 'TENANT_ADMIN', loginId: newId() });
      const { app } = world.app;
      const request = { message: pictured(shop.picture.id), scheduled_at: new Date(Date.now() + 3_600_000) };
      const draft = await app.get(BulkDrafts).of(actor, request as Parameters<BulkDrafts['of']>[1]);
      async function* recipients(): AsyncGenerator<Recipient> {
        for (const [index, number] of phones(1_600).entries()) {
          if (index === 1_100) await shop.http.delete(`/files/${shop.picture.id}`);
          yield { index, to: number, variables: {} };
        }
      }
      await expect(app.get(BulkService).accept(actor, draft, recipients())).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
      const rows = async (table: string) =>
        (await world.app.owner.query(`select from ${table} where tenant_id = $1`, [shop.tenantId])).rowCount;
      await eventually(async () => (await rows('campaigns')) === 0 && (await rows('messages')) === 0, {
        what: 'it to be forgotten',
      });
      await app.get(ObjectRemovals).sweep();
      expect([await objectsIn(world.folder, shop.tenantId), await used(shop)]).toEqual([[], 0]);
    },
  );
});

describe('a file whose campaign is forgotten while the file is deleted', () => {
  type Shop = Awaited<ReturnType<typeof business>>;
  const scheduled_at = new Date(Date.now() + 3_600_000);

  /** A campaign of messages that show the picture, and their ids, lowest first. */
  const made = async (
    shop: Shop,
    count: number,
    from: number,
  ): Promise<{ id: string; messages: [string, ...string[]] }> => {
    const body = { message: pictured(shop.picture.id), recipients: to(phones(count, from)), scheduled_at };
    const { campaign_id: id } = (await bulk(shop.http, body)).body;
    const messages = (await ledger(shop.http, id)).map((message) => message.id).sort();
    return { id: id as string, messages: messages as [string, ...string[]] };
  };
  const breakOff = (id: string) =>
    world.app.owner.query(`update campaigns set status = 'accepting', accepting_until = '-infinity' where id = $1`, [
      id,
    ]);
  const isGone = (id: string) =>
    eventually(async () => (await world.app.owner.query(`select from campaigns where id = $1`, [id])).rowCount === 0, {
      what: 'it to be forgotten',
    });
  const dropMessage = `delete from messages where id = $1`;

  /** The work is done while another connection has done those statements and not committed them. */
  const whileOpen = async (statements: [text: string, id: string][], work: () => Promise<unknown>): Promise<void> => {
    const other = await world.app.db.owner();
    await other.query('begin');
    for (const [text, id] of statements) await other.query(text, [id]);
    const working = work();
    await blocksSomebody(other, 'the work to wait');
    await other.query('commit');
    await other.end();
    await working;
  };

  /** The bytes are that message's now, the storage has them, and they count once. */
  const belongsTo = async (shop: Shop, message: string): Promise<void> => {
    await world.app.app.get(ObjectRemovals).sweep();
    const { rows } = await world.app.owner.query<{ message_id: string }>(
      `select message_id from message_media where tenant_id = $1 and file_id is null`,
      [shop.tenantId],
    );
    expect(rows.map(({ message_id: id }) => id)).toEqual([message]);
    expect([await used(shop), (await objectsIn(world.folder, shop.tenantId)).length]).toEqual([PNG.length, 1]);
    expect((await shop.http.get(`/messages/${message}/media`)).bytes.equals(PNG)).toBe(true);
  };

  it('is given to the next message, where the first is being forgotten', async () => {
    const shop = await business();
    const [first, second] = [await made(shop, 1, 0), await made(shop, 2, 10)];
    await whileOpen([[dropMessage, first.messages[0]]], async () =>
      expect((await shop.http.delete(`/files/${shop.picture.id}`)).status).toBe(204),
    );
    await belongsTo(shop, second.messages[0]);
  });

  it('goes on to another message, where the forgotten one is just given it', async () => {
    const shop = await business();
    const [first, second] = [await made(shop, 1, 0), await made(shop, 2, 10)];
    const handOver = `update message_media set file_id = null where message_id = $1`;
    await whileOpen(
      [
        [handOver, first.messages[0]],
        [`delete from files where id = $1`, shop.picture.id],
      ],
      async () => {
        await breakOff(first.id);
        await isGone(first.id);
      },
    );
    await belongsTo(shop, second.messages[0]);
  });

  it('is passed on by the forgotten one to none that is being forgotten as well, and goes with the last', async () => {
    const shop = await business();
    const [first, second] = [await made(shop, 1, 0), await made(shop, 2, 10)];
    expect((await shop.http.delete(`/files/${shop.picture.id}`)).status).toBe(204);
    await whileOpen([[dropMessage, second.messages[0]]], async () => {
      await breakOff(first.id);
      await isGone(first.id);
    });
    await belongsTo(shop, second.messages[1] as string);
    await breakOff(second.id);
    await isGone(second.id);
    await world.app.app.get(ObjectRemovals).sweep();
    expect([await objectsIn(world.folder, shop.tenantId), await used(shop)]).toEqual([[], 0]);
  });
});
