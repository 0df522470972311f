import { mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Client } from 'pg';
import { ended, linesOf, send, type WireImport } from '../e2e/imports.harness';
import { eventually } from '../support/wait';
import { endWithWorlds, inWorld, useWorlds } from './world';

const COUNT = 20_000;
const LINES = Array.from({ length: COUNT }, (_, i) => `k_${i},Name ${i},${i % 100 === 42 ? 'none' : '1.5'}`);
const BODY = `id,name,price\n${LINES.join('\n')}\n`;
const BAD = LINES.flatMap((line, i) => (line.endsWith('none') ? i + 2 : []));

jest.setTimeout(180_000);
useWorlds();

it('ends complete and exact, however often its worker is killed in the middle', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'imports-'));
  endWithWorlds(() => rm(folder, { recursive: true }));
  await inWorld({ sessions: 0, workers: 1, variables: { STORAGE_PATH: folder } }, async (world) => {
    const [worker] = world.workers;
    const owner = await world.owner();
    const { body } = await send(world.http, 'products', BODY);
    const read = async () => (await world.http.get<WireImport>(`/imports/${body.job_id}`)).body;
    let killedAt = 0;
    for (let kills = 0; kills < 3; kills += 1) {
      await eventually(async () => (await read()).rows.read > killedAt, { timeoutMs: 60_000, what: 'another portion' });
      await worker?.kill();
      const { status, rows } = await read();
      expect(status).toBe('running');
      expect(await recorded(owner)).toEqual(await written(owner));
      killedAt = rows.read;
      await owner.query(`update imports set due_at = now() where status = 'running'`); // a minute later
      await worker?.start();
    }
    const { status, rows } = await ended(world.http, body.job_id, 60_000);
    expect([status, rows]).toEqual([
      'finished',
      { read: COUNT, inserted: COUNT - BAD.length, updated: 0, unchanged: 0, refused: BAD.length },
    ]);
    const errors = await world.http.get(`/imports/${body.job_id}/errors?format=ndjson`);
    expect(linesOf<{ line: number }>(errors).map(({ line }) => line)).toEqual(BAD);
    expect(await recorded(owner)).toEqual(await written(owner));
    const counted = await owner.query(`select count(*)::int as count, max(version) as version from products`);
    expect(counted.rows).toEqual([{ count: COUNT - BAD.length, version: 1 }]);
    await eventually(async () => (await filesIn(folder)) === 0, { what: 'the file to go' });
  });
});

it('forgets an upload whose process was killed, and what was stored of it', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'imports-'));
  endWithWorlds(() => rm(folder, { recursive: true }));
  await inWorld({ sessions: 0, workers: 1, variables: { STORAGE_PATH: folder } }, async (world) => {
    const owner = await world.owner();
    const cut = new AbortController();
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(Buffer.from(BODY.slice(0, 200_000))),
    });
    const headers = { 'content-type': 'text/csv', authorization: `Bearer ${world.http.accessToken}` };
    const options = { method: 'POST', headers, body, duplex: 'half', signal: cut.signal } as RequestInit;
    const sending = fetch(`${world.service.url}/products/import`, options).catch(() => undefined);
    await eventually(async () => (await filesIn(folder)) === 1, { what: 'the file to come in' });
    await world.service.kill();
    cut.abort();
    await sending;
    // Five minutes go by; the half that was being written is the storage's own to sweep.
    const { rows } = await owner.query(`update imports set due_at = now() where status = 'uploading' returning id`);
    expect(rows).toHaveLength(1);
    await eventually(async () => (await owner.query(`select from imports`)).rowCount === 0, { timeoutMs: 20_000 });
  });
});

/** The products that there are, and those of which the audit trail says that an import added them: each as often as it says so. */
const written = async (owner: Client): Promise<string[]> =>
  (await owner.query<{ id: string }>(`select id from products order by id`)).rows.map(({ id }) => id);
const recorded = async (owner: Client): Promise<string[]> => {
  const text = `select jsonb_array_elements_text(metadata::jsonb->'added') as id from audit_logs
    where action = 'IMPORT_ROWS_WRITTEN' order by id`;
  return (await owner.query<{ id: string }>(text)).rows.map(({ id }) => id);
};

/** Files anywhere below it. */
async function filesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).length;
}
