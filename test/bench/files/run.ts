import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { makeBed } from '../bed';
import { Cleanup } from '../cleanup';
import { Program } from '../programs';

const MIB = 1024 * 1024;
const SIZE_BYTES = 16 * MIB;
const AT_ONCE = 4;
/** Of what bare Fastify does. */
const AIM = 0.8;
const BOUNDARY = 'only-for-the-bench';
const CONTENT = Buffer.alloc(SIZE_BYTES, 7);
const FORM = Buffer.concat([
  Buffer.from(`--${BOUNDARY}\r\ncontent-disposition: form-data; name="file"; filename="a.bin"\r\n\r\n`),
  CONTENT,
  Buffer.from(`\r\n--${BOUNDARY}--\r\n`),
]);

interface Target {
  port: number;
  headers: Record<string, string>;
  body: Buffer;
}

/** Compares uploads and downloads with bare Fastify that streams to the disk, and prints megabytes per second of both. */
export async function runFilesBenchmark({ quick }: { quick: boolean }): Promise<void> {
  const cleanup = new Cleanup();
  try {
    const bed = await makeBed(cleanup);
    const folder = path.join(bed.folder, 'bare');
    mkdirSync(folder);
    const program = Program.start('files/reference-server.mjs');
    cleanup.add(() => program.stop());
    const { port } = await program.ask<{ port: number }>({ folder });
    const type = `multipart/form-data; boundary=${BOUNDARY}`;
    const service = { port: bed.service.port, body: FORM, headers: { authorization: bed.identities.reader } };
    const reference = { port, body: CONTENT, headers: {} };
    const targets = [
      { ...service, headers: { ...service.headers, 'content-type': type } },
      { ...reference, headers: { 'content-type': 'application/octet-stream' } },
    ];
    for (const work of [up, down]) await compare(work, targets, quick ? 3 : 7);
  } finally {
    await cleanup.run();
  }
}

/** In turn, so that what else the machine does meets both; the median of the rounds counts. */
async function compare(work: (target: Target) => Promise<void>, targets: Target[], rounds: number): Promise<void> {
  const speeds = targets.map((): number[] => []);
  for (let round = 0; round <= rounds; round += 1)
    for (const [i, target] of targets.entries()) {
      const startedAt = performance.now();
      await Promise.all(Array.from({ length: AT_ONCE }, () => work(target)));
      const seconds = (performance.now() - startedAt) / 1000;
      if (round > 0) speeds[i]?.push((AT_ONCE * SIZE_BYTES) / MIB / seconds); // the first round warms up
    }
  const [ours = 0, bare = 0] = speeds.map((each) => each.sort((a, b) => a - b)[Math.floor(each.length / 2)] ?? 0);
  const ratio = ours / bare;
  const verdict = ratio >= AIM ? 'met' : 'NOT met';
  console.log(
    `files ${work.name}: ${ours.toFixed(0)} MiB/s, bare ${bare.toFixed(0)} MiB/s, ${ratio.toFixed(2)} (aim ${AIM}: ${verdict})`,
  );
}

const stored = new Map<number, string>();

async function up({ port, headers, body }: Target): Promise<void> {
  const init = { method: 'POST', headers, body: body as unknown as ArrayBuffer };
  const answer = await fetch(`http://127.0.0.1:${port}/files`, init);
  if (answer.status !== 201) throw new Error(`An upload gave ${answer.status}: ${await answer.text()}`);
  stored.set(port, ((await answer.json()) as { id: string }).id);
}

async function down({ port, headers }: Target): Promise<void> {
  const { authorization = '' } = headers;
  const answer = await fetch(`http://127.0.0.1:${port}/files/${stored.get(port)}`, { headers: { authorization } });
  let seen = 0;
  for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) seen += chunk.length;
  if (seen !== SIZE_BYTES) throw new Error(`A download gave ${answer.status} and ${seen} bytes`);
}
