import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { stopEmbeddedPostgres } from '../../src/embedded/postgres';
import { builtService, compileCache } from '../faults/service-build';
import { workerDatabase } from '../support/database';
import { makeRunFolder, presentRun } from '../support/run';

const root = path.join(__dirname, '../..');

/** Some tests start several processes; a busy machine takes its time. */
jest.setTimeout(120_000);

let compiled: string;

beforeAll(async () => {
  compiled = path.dirname(path.dirname(await builtService()));
});

/** A process of the service as a supervisor starts it, in a folder without an .env of its own. Tools are there as sources only. */
class Service {
  private output = '';
  private readonly child: ChildProcess;

  constructor(variables: Record<string, string>, program: string[] = ['src/main.js']) {
    const [script = '', ...args] = program;
    const node = script.startsWith('tools/')
      ? ['-r', require.resolve('@swc-node/register'), path.join(root, script)]
      : [path.join(compiled, script)];
    this.child = spawn(process.execPath, [...node, ...args], {
      cwd: os.tmpdir(),
      env: {
        PATH: process.env.PATH,
        TS_NODE_PROJECT: path.join(root, 'tsconfig.json'),
        NODE_COMPILE_CACHE: compileCache(),
        ...variables,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
  }

  get text(): string {
    return this.output;
  }

  get lines(): Record<string, unknown>[] {
    const json = this.output.split('\n').filter((line) => line.startsWith('{'));
    return json.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** The address that it says it listens on. */
  async address(): Promise<string> {
    while (this.child.exitCode === null) {
      const found = this.lines.find(({ msg }) => msg === 'listening');
      if (found) return found.address as string;
      await Promise.race([once(this.child.stdout!, 'data'), once(this.child, 'close')]);
    }
    throw new Error(`It ended instead of listening:\n${this.output}`);
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  async exitCode(): Promise<number | null> {
    if (this.child.exitCode === null) await once(this.child, 'close');
    return this.child.exitCode;
  }
}

describe('the process', () => {
  let service: Service;

  afterEach(async () => {
    service.signal('SIGKILL');
    await service.exitCode();
  });

  it('refuses a wrong configuration with all that is wrong with it, and nothing else', async () => {
    service = new Service({ NODE_ENV: 'production', PORT: 'many', LOG_LEVEL: 'loud' });
    expect(await service.exitCode()).toBe(78);
    for (const name of ['PORT', 'LOG_LEVEL', 'DATABASE_URL', 'JWT_SECRET', 'DATA_ENCRYPTION_KEY'])
      expect(service.text).toContain(name);
    expect(service.text).not.toMatch(/\n\s+at /);
  });

  it('migrates, serves, and ends with 0 on SIGTERM', async () => {
    service = new Service(await variablesOf());
    const address = await service.address();
    const answer = await fetch(`${address}/api/nothing`, { headers: { 'x-request-id': 'trace-12345678' } });
    expect(answer.status).toBe(404);
    expect((await fetch(`${address}/ready`)).status).toBe(200);
    service.signal('SIGTERM');
    expect(await service.exitCode()).toBe(0);
    expect(service.lines.find(({ msg, route }) => msg === 'request' && route === 'unmatched')).toMatchObject({
      request_id: 'trace-12345678',
      status: 404,
      method: 'GET',
    });
  });

  it.each([
    ['/auth/login', { email: 'jane.doe@acme.example', password: 'wrong-password' }, 'login refused'],
    ['/webhooks/waha', { id: '1', event: 'message', session: 'none' }, 'webhook refused: unsigned'],
  ])('tells its log of a refused credential at %s, and not whose', async (route, body, msg) => {
    service = new Service(await variablesOf());
    const answer = await fetch(`${await service.address()}${route}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', 'x-request-id': 'trace-87654321' },
    });
    expect(answer.status).toBe(401);
    service.signal('SIGTERM');
    expect(await service.exitCode()).toBe(0);
    expect(service.lines.filter((line) => line.msg === msg)).toEqual([
      expect.objectContaining({ level: 'warn', request_id: 'trace-87654321', ip: '127.0.0.1' }),
    ]);
    expect(service.text).not.toContain('jane.doe');
  });

  it('takes the Ctrl-C that npm passes on a second time as one', async () => {
    service = new Service(await variablesOf());
    await service.address();
    service.signal('SIGINT');
    service.signal('SIGTERM');
    expect(await service.exitCode()).toBe(0);
  });
});

describe('a start that cannot be', () => {
  let service: Service;
  let folder: string;
  let taken: Server;
  let takenPort: string;

  beforeAll(async () => {
    folder = makeRunFolder(path.join(presentRun(), `start-${randomBytes(4).toString('hex')}`));
    taken = createServer();
    await once(taken.listen(0, '127.0.0.1'), 'listening');
    takenPort = String((taken.address() as AddressInfo).port);
  });

  afterEach(async () => {
    service.signal('SIGKILL');
    await service.exitCode();
  });

  afterAll(async () => {
    taken.close();
    await stopEmbeddedPostgres(path.join(folder, 'data', 'postgres'), 'immediate');
    await rm(folder, { recursive: true, force: true });
  });

  /** Ends with this code and this sentence as its last word: no stack, nothing fatal after it. */
  async function endsWith(exitCode: number, sentence: RegExp): Promise<void> {
    expect(await service.exitCode()).toBe(exitCode);
    expect(service.text.trim().split('\n').at(-1)).toMatch(sentence);
    expect(service.text).not.toMatch(/\n\s+at |"level":"fatal"/);
  }

  it('says that its port is in use, with a database of its own as well', async () => {
    const data = { EMBEDDED_DATA_DIR: path.join(folder, 'data'), BCRYPT_ROUNDS: '4' };
    service = new Service({ ...(await variablesOf()), ...data, DATABASE_URL: '', PORT: takenPort });
    await endsWith(1, new RegExp(`^Port ${takenPort} is in use: .*set PORT$`));
  });

  it('says that there is no such address', async () => {
    service = new Service({ ...(await variablesOf()), HOST: 'no-such-host.invalid' });
    await endsWith(1, /^no-such-host\.invalid is no address of this machine: set HOST$/);
  });

  it('says that the port of the simulator is in use', async () => {
    const simulated = { WAHA_BASE_URL: '', WAHA_SIMULATOR_PORT: takenPort, EMBEDDED_DATA_DIR: folder };
    service = new Service({ ...(await variablesOf()), ...simulated });
    await endsWith(1, new RegExp(`^Port ${takenPort} is in use: .*set WAHA_SIMULATOR_PORT$`));
    service = new Service({ WAHA_SIMULATOR_PORT: takenPort, WAHA_API_KEY: 'only-for-tests' }, [
      'src/simulator/main.js',
    ]);
    await endsWith(1, /set WAHA_SIMULATOR_PORT$/);
  });

  it.each(['', 'below'])('says that its folder is a file (%s)', async (below) => {
    const file = path.join(folder, 'file');
    await writeFile(file, '');
    service = new Service({ EMBEDDED_DATA_DIR: path.join(file, below) });
    await endsWith(1, /file.* cannot be used \(E\w+\): choose another folder \(EMBEDDED_DATA_DIR\)/);
  });

  it.each([
    ['is not there', `postgres://owner:hush@127.0.0.1:1/none`, /nothing listens at its address/],
    ['has another password', undefined, /its user or password is wrong/],
  ])(
    'says that the database %s, whatever meets it first',
    async (_what, url, reason) => {
      const variables = await variablesOf();
      const wrong = new URL(variables.DATABASE_URL ?? '');
      wrong.password = 'hush';
      const sentence = new RegExp(`^PostgreSQL cannot be used: ${reason.source} .*Set DATABASE_URL`);
      for (const [given, program] of [
        [{ MIGRATE_ON_START: 'true' }, ['src/main.js']],
        [{}, ['tools/migrate.ts', 'up']],
        [{}, ['tools/migrate.ts', 'down']],
        [{}, ['tools/seed-demo.ts']],
      ] as const) {
        service = new Service({ ...variables, ...given, DATABASE_URL: url ?? wrong.href }, [...program]);
        await endsWith(1, sentence);
        expect(service.text).not.toContain('hush');
      }
    },
    60_000,
  );

  it('closes what had begun when the database is away and is not to be migrated', async () => {
    const away = { MIGRATE_ON_START: 'false', DATABASE_URL: 'postgres://owner@127.0.0.1:1/none' };
    service = new Service({ ...(await variablesOf()), ...away });
    expect(await service.exitCode()).toBe(1);
    expect(service.text).toMatch(/^PostgreSQL cannot be used: nothing listens at its address/m);
  });

  it.each([[['tools/migrate.ts', 'up']], [['tools/migrate.ts', 'down']], [['tools/seed-demo.ts']]])(
    'asks for the database that %j needs',
    async (program) => {
      service = new Service({}, program);
      await endsWith(78, /DATA_ENCRYPTION_KEY is required here/);
      expect(service.text).toContain('DATABASE_URL is required here');
    },
  );
});

async function variablesOf(): Promise<Record<string, string>> {
  const { ownerUrl } = await workerDatabase();
  return {
    NODE_ENV: 'test',
    PORT: '0',
    DATABASE_URL: ownerUrl,
    DATABASE_ROLE_PREFIX: 'switchboard_app_test',
    DATA_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
    JWT_SECRET: 'only-for-tests-'.repeat(3),
    WAHA_BASE_URL: 'http://127.0.0.1:9',
    WAHA_API_KEY: 'only-for-tests',
  };
}
