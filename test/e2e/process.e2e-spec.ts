import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import { workerDatabase } from '../support/database';

const root = path.join(__dirname, '../..');

/** A process of the service as a supervisor starts it, in a folder without an .env of its own. */
class Service {
  private output = '';
  private readonly child: ChildProcess;

  constructor(variables: Record<string, string>) {
    const swc = require.resolve('@swc-node/register');
    this.child = spawn(process.execPath, ['-r', swc, path.join(root, 'src/main.ts')], {
      cwd: os.tmpdir(),
      env: { PATH: process.env.PATH, TS_NODE_PROJECT: path.join(root, 'tsconfig.json'), ...variables },
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
    service = await started();
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

  it('takes the Ctrl-C that npm passes on a second time as one', async () => {
    service = await started();
    await service.address();
    service.signal('SIGINT');
    service.signal('SIGTERM');
    expect(await service.exitCode()).toBe(0);
  });
});

async function started(): Promise<Service> {
  const { ownerUrl } = await workerDatabase();
  return new Service({
    NODE_ENV: 'test',
    PORT: '0',
    DATABASE_URL: ownerUrl,
    DATABASE_ROLE_PREFIX: 'switchboard_app_test',
    DATA_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
    JWT_SECRET: 'only-for-tests-'.repeat(3),
    WAHA_BASE_URL: 'http://127.0.0.1:9',
    WAHA_API_KEY: 'only-for-tests',
  });
}
