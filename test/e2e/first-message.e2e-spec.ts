import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { stopEmbeddedPostgres } from '../../src/embedded/postgres';
import { freePort } from '../../src/embedded/postgres-server';
import { HttpClient } from '../support/http-client';
import { makeRunFolder, presentRun, rootFolder } from '../support/run';
import { eventually } from '../support/wait';
import {
  becomes,
  historyOf,
  reaches,
  scan,
  send,
  sendsOf,
  type WireMessage,
  type WireSession,
} from '../support/whatsapp';

jest.setTimeout(90_000);

const PASSWORD = 'Demo-2026-Switchboard';

/** The service as somebody starts it who has just cloned it: no database, no WAHA, no secrets, nothing configured. */
class BareStart {
  output = '';
  private readonly child: ChildProcess;

  constructor(folder: string, variables: Record<string, string>) {
    const swc = require.resolve('@swc-node/register');
    this.child = spawn(process.execPath, ['-r', swc, path.join(rootFolder, 'src/main.ts')], {
      cwd: folder,
      env: { PATH: process.env.PATH, TS_NODE_PROJECT: path.join(rootFolder, 'tsconfig.json'), ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
  }

  get ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  async ready(http: HttpClient): Promise<void> {
    const isReady = async () => {
      if (this.ended) return true;
      return (await http.get('/ready')).status === 200;
    };
    await eventually(isReady, { timeoutMs: 60_000, everyMs: 100, what: '/ready' });
    if (this.ended) throw new Error(`It ended instead:\n${this.output}`);
  }

  async stop(): Promise<number | null> {
    if (!this.ended) {
      this.child.kill('SIGTERM');
      await once(this.child, 'exit');
    }
    return this.child.exitCode;
  }
}

describe('the way to the first message', () => {
  let folder: string;
  let variables: Record<string, string>;
  let anybody: HttpClient;
  let simulator: HttpClient;
  let service: BareStart;

  beforeAll(async () => {
    folder = makeRunFolder(path.join(presentRun(), `first-message-${process.env.JEST_WORKER_ID}`));
    mkdirSync(folder, { recursive: true });
    const [port, simulatorPort] = [await freePort(), await freePort()];
    variables = { PORT: String(port), WAHA_SIMULATOR_PORT: String(simulatorPort), LOG_LEVEL: 'warn' };
    anybody = new HttpClient(`http://127.0.0.1:${port}`);
    simulator = new HttpClient(`http://127.0.0.1:${simulatorPort}`);
  });

  afterAll(async () => {
    await service.stop();
    await stopEmbeddedPostgres(path.join(folder, '.data/postgres'), 'immediate').catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  });

  const logIn = async (email: string): Promise<HttpClient> => {
    const answer = await anybody.post<{ access_token: string }>('/auth/login', { email, password: PASSWORD });
    expect([email, answer.outcome]).toEqual([email, '200']);
    return anybody.with({ authorization: `Bearer ${answer.body.access_token}` });
  };

  let session: WireSession;
  let first: WireMessage;

  it('starts on a bare machine, says how to go on, and leads to a message that is read', async () => {
    service = new BareStart(folder, variables);
    await service.ready(anybody);
    await eventually(() => service.output.includes('Your first message'));
    for (const line of [anybody.baseUrl, '/api/docs', 'admin@demo.example', PASSWORD, simulator.baseUrl])
      expect(service.output).toContain(line);
    const http = await logIn('admin@demo.example');
    session = (await http.post<WireSession>('/waha/sessions', { name: 'Main shop' })).body;
    await reaches(http, session.id, 'SCAN_QR_CODE');
    const qr = await http.get(`/waha/sessions/${session.id}/qr`, { headers: { accept: 'image/png' } });
    expect([qr.status, qr.headers.get('content-type')]).toEqual([200, 'image/png']);
    session = await scan({ simulator }, http, session);
    first = await send(http, { to: '+44 20 7946 0958', text: 'Hello' });
    await becomes(http, first.id, 'read');
    expect(await historyOf(http, first.id)).toEqual(['queued', 'sending', 'sent', 'delivered', 'read']);
  });

  it('keeps all of it when it ends and starts again, and sends on without a new scan', async () => {
    expect(await service.stop()).toBe(0);
    service = new BareStart(folder, variables);
    await service.ready(anybody);
    const http = await logIn('manager@demo.example');
    expect((await http.get<WireMessage>(`/messages/${first.id}`)).body).toMatchObject({
      status: 'read',
      text: 'Hello',
    });
    await reaches(http, session.id, 'WORKING');
    const second = await send(http, { to: '+44 20 7946 0958', text: 'Again' });
    await becomes(http, second.id, 'read');
    expect((await sendsOf({ simulator }, session)).map(({ text }) => text)).toEqual(['Again']);
    expect(await service.stop()).toBe(0);
    expect(service.output).not.toMatch(/"level":(50|60)|Error:/);
  });
});
