import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ended, linesOf, type WireImport } from '../e2e/imports.harness';
import { eventually } from '../support/wait';
import { endWithWorlds, inWorld, useWorlds } from '../faults/world';

/** What is promised is 100,000 (`IMPORT_ROWS=100000`), which takes some minutes. */
const ROWS = Number(process.env.IMPORT_ROWS ?? 30_000);
/** Each row is some 800 bytes: the file is far larger than what the service may grow by. */
const DESCRIPTION = 'A watch. '.repeat(80);
/** Files before it: the first shows what so little takes, and beyond the most that the other, a third of it, takes it may take so much. */
const SMALLER = [1_000, Math.floor(ROWS / 300) * 100] as const;
const GROWTH_MIB = 48;
/** Without a bound the collector lets garbage pile up for as long as there is memory, which tells nothing of what is kept. */
const HEAP_MIB = 192;
/** What is still held, garbage aside, when a file is worked off. */
const HELD_GROWTH_MIB = 24;

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

/** Loaded before the service: at a signal it collects its garbage, and writes down how many bytes it holds after that. */
const WITNESS = `
  const { renameSync, writeFileSync } = require('node:fs');
  let nth = 0;
  process.on('SIGUSR2', () => {
    gc();
    gc();
    const { heapUsed, external } = process.memoryUsage();
    writeFileSync(__filename + '.new', JSON.stringify({ nth: (nth += 1), heldBytes: heapUsed + external }));
    renameSync(__filename + '.new', __filename + '.json');
  });
`;

/** Asks a service with that witness what it holds. */
function witnessOf(file: string): (pid: number) => Promise<number> {
  let asked = 0;
  return async (pid) => {
    asked += 1;
    process.kill(pid, 'SIGUSR2');
    const answer = async () => {
      const { nth, heldBytes } = JSON.parse(await readFile(`${file}.json`, 'utf8')) as {
        nth: number;
        heldBytes: number;
      };
      return nth === asked ? heldBytes : 0;
    };
    return (await eventually(answer, { what: 'the service to say what it holds' })) / 1024 / 1024;
  };
}

jest.setTimeout(900_000);
useWorlds();

it(`takes in ${ROWS} rows, a hundredth of them bad, in memory that does not grow with them`, async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'imports-'));
  endWithWorlds(() => rm(folder, { recursive: true }));
  const witness = path.join(folder, 'witness.cjs');
  await writeFile(witness, WITNESS);
  const heldMib = witnessOf(witness);
  const options = `--max-old-space-size=${HEAP_MIB} --expose-gc --require ${witness}`;
  const variables = { STORAGE_PATH: path.join(folder, 'files'), NODE_OPTIONS: options };
  await inWorld({ sessions: 0, variables }, async ({ service, http }) => {
    let samples: number[] = [];
    const look = async (): Promise<void> => {
      samples.push(await rssMib(service.pid));
    };
    const timer = setInterval(() => void look(), 50);
    endWithWorlds(() => clearInterval(timer));
    /** Takes in so many rows; how much memory the process had at most meanwhile, and how much it holds afterwards. */
    const send = async (count: number) => {
      const startedAt = performance.now();
      samples = [];
      const headers = { 'content-type': 'text/csv', authorization: `Bearer ${http.accessToken}` };
      const body = ReadableStream.from(pieces(rows(count)));
      const options = { method: 'POST', headers, body, duplex: 'half' } as RequestInit;
      const answer = await fetch(`${service.url}/products/import`, options);
      expect(answer.status).toBe(202);
      const { job_id: id } = (await answer.json()) as { job_id: string };
      const outcome: WireImport = await ended(http, id, 600_000);
      const [seconds, mostMib] = [(performance.now() - startedAt) / 1_000, Math.max(...samples)];
      const fifth = (nth: number) =>
        Math.max(...samples.slice((nth * samples.length) / 5, ((nth + 1) * samples.length) / 5));
      const held = await heldMib(service.pid);
      console.log(
        `${count} rows, ${(outcome.size_bytes / 1024 / 1024).toFixed(1)} MiB, in ${seconds.toFixed(1)} s: RSS at most ` +
          `${mostMib.toFixed(0)} MiB (by fifths of its time ${[0, 1, 2, 3, 4].map((n) => fifth(n).toFixed(0)).join(', ')}); ` +
          `held after it ${held.toFixed(1)} MiB`,
      );
      return { id, counts: outcome.rows, mostMib, heldMib: held };
    };
    await send(SMALLER[0]);
    const smaller = await send(SMALLER[1]);
    const { id, counts, ...large } = await send(ROWS);
    const [unchanged, refused] = [SMALLER[1] * 0.99, ROWS / 100];
    const inserted = ROWS - refused - unchanged;
    expect(counts).toEqual({ read: ROWS, inserted, updated: 0, unchanged, refused });
    const errors = linesOf<{ line: number; field: string }>(await http.get(`/imports/${id}/errors?format=ndjson`));
    const bad = Array.from({ length: ROWS }, (_, n) => n).filter(isBad);
    expect(errors.map(({ line, field }) => [line, field])).toEqual(bad.map((n) => [n + 2, 'price']));
    expect(large.heldMib - smaller.heldMib).toBeLessThan(HELD_GROWTH_MIB);
    expect(large.mostMib - smaller.mostMib).toBeLessThan(GROWTH_MIB);
  });
});
