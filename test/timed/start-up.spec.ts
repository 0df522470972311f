import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { stopEmbeddedPostgres } from '../../src/embedded/postgres';
import { freePort } from '../../src/embedded/postgres-server';
import { isRunning } from '../../src/embedded/processes';
import { HttpClient } from '../support/http-client';
import { makeRunFolder, presentRun, rootFolder } from '../support/run';
import { becomes, reaches, send, type WireMessage, type WireSession } from '../support/whatsapp';
import { builtService } from '../faults/service-build';
import { ServiceProcess } from '../faults/service-process';
import { endWithWorlds, explained, useWorlds, workingSession } from '../faults/world';

/** What a start on existing data may take; the figure is part of what the service promises. */
const NEXT_START_MS = 10_000;
const FRIEND = '+44 20 7946 0958';
const PASSWORD = 'Demo-2026-Switchboard';

/** `npm start` on a machine that has nothing but Node, in a folder of its own. */
class BareMachine {
  readonly data: string;
  private constructor(
    readonly service: ServiceProcess,
    readonly waha: HttpClient,
    folder: string,
  ) {
    this.data = path.join(folder, '.data', 'postgres');
  }

  static async prepare(): Promise<BareMachine> {
    await builtService(); // what `npm start` finds built already
    const folder = makeRunFolder(path.join(presentRun(), `bare-${randomBytes(4).toString('hex')}`));
    const [port, wahaPort] = [String(await freePort()), String(await freePort())];
    const service = new ServiceProcess({
      script: path.join(rootFolder, 'tools', 'start.mjs'),
      folder,
      variables: { PORT: port, WAHA_SIMULATOR_PORT: wahaPort, BCRYPT_ROUNDS: '4' },
    });
    const machine = new BareMachine(service, new HttpClient(`http://127.0.0.1:${wahaPort}`), folder);
    endWithWorlds(() => existsSync(machine.data) && stopEmbeddedPostgres(machine.data, 'immediate'));
    endWithWorlds(() => service.kill());
    return machine;
  }

  /** Of the postmaster, as its own file says. */
  get postgresPid(): number {
    return Number(readFileSync(path.join(this.data, 'postmaster.pid'), 'utf8').split('\n')[0]);
  }

  async logIn(): Promise<HttpClient> {
    const anybody = new HttpClient(this.service.url);
    const credentials = { email: 'admin@demo.example', password: PASSWORD };
    const { body, outcome } = await anybody.post<{ access_token: string }>('/auth/login', credentials);
    if (outcome !== '200') throw new Error(`Logging in gave ${outcome}`);
    return anybody.with({ authorization: `Bearer ${body.access_token}` });
  }
}

useWorlds();

describe('npm start on a bare machine', () => {
  it('goes on after kill -9 with all its data, soon, and Ctrl-C ends everything that it started', async () => {
    const machine = await BareMachine.prepare();
    const { service, waha } = machine;
    await explained(service, async () => {
      await service.start();
      const before = await machine.logIn();
      const session = await workingSession(before, waha, 'Main shop');
      const { id } = await send(before, { to: FRIEND, text: 'before the crash' });
      await becomes(before, id, 'read');
      await service.kill();

      const begun = performance.now();
      await service.start();
      const tookMs = performance.now() - begun;
      process.stdout.write(`start-up: ready again after ${Math.round(tookMs)} ms\n`);
      expect(tookMs).toBeLessThan(NEXT_START_MS);
      const http = await machine.logIn();
      expect((await http.get<WireMessage>(`/messages/${id}`)).body).toMatchObject({
        text: 'before the crash',
        status: 'read',
      });
      expect((await http.get<WireSession[]>('/waha/sessions')).body).toHaveLength(1);
      await reaches(http, session.id, 'WORKING');
      const next = await send(http, { to: FRIEND, text: 'after the crash' });
      await becomes(http, next.id, 'read');

      const postgres = machine.postgresPid;
      expect(await isRunning(postgres)).toBe(true);
      expect(await service.interrupt()).toBe(0);
      expect(await isRunning(postgres)).toBe(false);
      await expect(waha.get('/simulator')).rejects.toThrow();
    });
  }, 120_000);
});
