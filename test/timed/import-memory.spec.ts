import { readFile } from 'node:fs/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ended, linesOf, type WireImport } from '../e2e/imports.harness';
import { endWithWorlds, inWorld, useWorlds } from '../faults/world';

const ROWS = 100_000;
/** Each row is some 800 bytes: the file is far larger than what the service may grow by. */
const DESCRIPTION = 'A watch. '.repeat(80);
/** Beyond what the service has when it has worked off a smaller file. */
const GROWTH_MIB = 48;

const isBad = (n: number) => n % 100 === 99;

function* rows(count: number): Generator<string> {
  yield 'id,name,price,description\n';
  for (let n = 0; n < count; n += 1) yield `t_${n},Name ${n},${isBad(n) ? 'none' : `${n}.5`},${DESCRIPTION}\n`;
}

/** Text in pieces that are worth a write. */
function* pieces(lines: Iterable<string>): Generator<Buffer> {
  let text = '';
  for (const line of lines) {
    text += line;
    if (text.length < 65_536) continue;
    yield Buffer.from(text);
    text = '';
  }
  yield Buffer.from(text);
}

const rssMib = async (pid: number): Promise<number> =>
  Number(/VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

jest.setTimeout(300_000);
useWorlds();

it('takes in 100,000 rows, a hundredth of them bad, in memory that does not grow with them', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'imports-'));
  endWithWorlds(() => rm(folder, { recursive: true }));
  await inWorld({ sessions: 0, variables: { STORAGE_PATH: folder } }, async ({ service, http }) => {
    const send = async (count: number): Promise<WireImport> => {
      const headers = { 'content-type': 'text/csv', authorization: `Bearer ${http.accessToken}` };
      const body = ReadableStream.from(pieces(rows(count)));
      const options = { method: 'POST', headers, body, duplex: 'half' } as RequestInit;
      const answer = await fetch(`${service.url}/products/import`, options);
      expect(answer.status).toBe(202);
      const { job_id: id } = (await answer.json()) as { job_id: string };
      return ended(http, id, 240_000);
    };
    await send(10_000);
    const before = await rssMib(service.pid);
    let most = before;
    const timer = setInterval(() => void rssMib(service.pid).then((rss) => (most = Math.max(most, rss))), 50);
    const startedAt = performance.now();
    const { id, rows: counts, size_bytes: sizeBytes } = await send(ROWS);
    const seconds = (performance.now() - startedAt) / 1_000;
    clearInterval(timer);
    console.log(
      `${ROWS} rows, ${(sizeBytes / 1024 / 1024).toFixed(0)} MiB, in ${seconds.toFixed(1)} s; ` +
        `RSS ${before.toFixed(0)} MiB before, at most ${most.toFixed(0)} MiB`,
    );
    expect(counts).toEqual({ read: ROWS, inserted: 89_100, updated: 0, unchanged: 9_900, refused: 1_000 });
    const errors = linesOf<{ line: number; field: string }>(await http.get(`/imports/${id}/errors?format=ndjson`));
    const bad = Array.from({ length: ROWS }, (_, n) => n).filter(isBad);
    expect(errors.map(({ line, field }) => [line, field])).toEqual(bad.map((n) => [n + 2, 'price']));
    expect(most - before).toBeLessThan(GROWTH_MIB);
  });
});
