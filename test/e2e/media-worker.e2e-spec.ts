import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { MediaWorker } from '../../src/modules/messages/media/media-worker.service';
import { TenantPurgers } from '../../src/platform/tenancy/tenant-purgers';
import { eventually } from '../support/wait';
import { becomes, send, workingSession } from '../support/whatsapp';
import { digestOf, gate, type MediaWorld, newChat, PNG, startMediaWorld } from './media.harness';

let world: MediaWorld;

beforeAll(async () => {
  world = await startMediaWorld();
});

afterAll(() => world.close());

describe('a worker that dies while it fetches', () => {
  it('is followed by another when its lease is over; the half-finished object goes, and one file arrives', async () => {
    const { opened: waits, open: release } = gate();
    let asked = 0;
    const { url } = world.origin.serve('/twice.png', (_request, response) => {
      asked += 1;
      if (asked === 1) void waits.then(() => response.end(PNG));
      else response.end(PNG);
    });
    const message = await world.sendMedia('image', { url });
    await eventually(() => asked === 1, { what: 'the first fetch' });
    const first = (await world.mediaRow(message.id))?.storage_key;
    // As if the first worker had been gone for the whole lease.
    await world.dueNow(message.id);
    await becomes(world.admin.http, message.id, 'read');
    const row = await world.mediaRow(message.id);
    expect([row?.attempts, row?.storage_key === first]).toEqual([2, false]);
    release();
    const objectOf = (key: unknown) => String(key).split('/')[1] ?? '';
    await eventually(async () => !(await world.stored()).includes(objectOf(first)), {
      what: 'the late object is gone',
    });
    expect(await world.stored()).toContain(objectOf(row?.storage_key));
    expect(await world.arrivedAt(message)).toHaveLength(1);
    await eventually(async () => (await readdir(path.join(world.folder, 'temporary'))).length === 0, {
      what: 'nothing half-written is left',
    });
    expect((await world.mediaRow(message.id))?.storage_key).toBe(row?.storage_key);
  });

  it('again and again gives up after as many attempts as are allowed', async () => {
    const { url, asked } = world.origin.file('/poison.png', PNG);
    const message = await world.sendMedia('image', { url }, { scheduled_at: new Date(Date.now() + 3_600_000) });
    await eventually(async () => (await world.mediaRow(message.id))?.state === 'stored', { what: 'stored' });
    await world.app.owner.query(
      `update message_media set state = 'pending', attempts = 8, due_at = now(), storage_key = null where message_id = $1`,
      [message.id],
    );
    expect(await becomes(world.admin.http, message.id, 'failed')).toMatchObject({ error_code: 'MEDIA_UNREACHABLE' });
    expect(asked()).toBe(1);
  });
});

describe('a message that ended while its file was still to be had', () => {
  it('is let go of, and a retry asks for the file anew', async () => {
    const { url, asked } = world.origin.serve('/late.png', (_request, response) => {
      if (asked() === 1) response.writeHead(503).end();
      else response.end(PNG);
    });
    const message = await world.sendMedia('image', { url });
    await eventually(async () => (await world.mediaRow(message.id))?.error !== null, { what: 'the first try failed' });
    await world.app.owner.query(`update messages set status = 'expired', next_attempt_at = null where id = $1`, [
      message.id,
    ]);
    await eventually(
      async () => {
        await world.dueNow(message.id);
        return (await world.mediaRow(message.id))?.due_at === null;
      },
      { what: 'it is let go of' },
    );
    expect(asked()).toBe(1);
    expect((await world.admin.http.post(`/messages/${message.id}/retry`, {})).status).toBe(202);
    await becomes(world.admin.http, message.id, 'read');
    expect(await world.arrivedAt(message)).toMatchObject([{ media: { sha256: digestOf(PNG) } }]);
  });
});

describe('a tenant that is deleted', () => {
  it('leaves no file behind', async () => {
    const tenantId = await world.app.make.tenant();
    const other = await world.app.login('TENANT_ADMIN', tenantId);
    const theirs = await workingSession(world.app, other.http, 'Leaving');
    const message = await send(other.http, {
      ...{
        session_id: theirs.id,
        to: newChat(),
        type: 'image',
        media: { url: world.origin.file('/last.png', PNG).url },
      },
    });
    await becomes(other.http, message.id, 'read');
    expect(await readdir(path.join(world.folder, tenantId))).toHaveLength(1);
    const purger = world.app.app
      .get(TenantPurgers)
      .all()
      .find(([name]) => name === 'media')?.[1];
    await purger?.({ tenantId, lastTry: false, count: () => Promise.resolve() });
    await expect(readdir(path.join(world.folder, tenantId))).rejects.toThrow('ENOENT');
  });
});

describe('a worker that is told to end while it fetches', () => {
  it('gives the file back at once, without having used up an attempt', async () => {
    const { opened, open } = gate();
    const slow = world.origin.serve('/ending.png', (_request, response) => void opened.then(() => response.end(PNG)));
    const message = await world.sendMedia('image', { url: slow.url });
    await eventually(() => slow.asked() === 1, { what: 'the file is asked for' });
    await world.app.app.get(MediaWorker).beforeApplicationShutdown();
    const row = await world.mediaRow(message.id);
    expect(row).toMatchObject({ state: 'pending', attempts: 0 });
    expect((row?.due_at as Date).getTime()).toBeLessThanOrEqual(Date.now() + 1_000);
    expect(await readdir(path.join(world.folder, 'temporary'))).toEqual([]);
    open();
  });
});
