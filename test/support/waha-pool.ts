import { startSimulator, type RunningSimulator, type SimulatorOptions } from '../../src/simulator/simulator';
import type { ServerDetailsResponse } from '../../src/modules/waha/dto/server.response';
import { TEST_SECRETS } from './app';
import { HttpClient } from './http-client';
import type { Wire } from './whatsapp';

/** Only ever used by tests. */
export const ADMIN_API_KEY = 'the platform administrator of the tests';

export type WireServer = Wire<ServerDetailsResponse>;

/** Another WAHA, as fast as the one that the application is started with. */
export interface PoolMember {
  url: string;
  /** WAHA's stand-in as a client sees it. */
  simulator: HttpClient;
  close(): Promise<void>;
}

const FAST = { start: 20, pair: 20, ackServer: 10, ackDevice: 20, ackRead: 30, reconnect: 50 };

/** Starts a WAHA that nobody knows of yet. The caller closes it. */
export async function startMember(options: Partial<SimulatorOptions> = {}): Promise<PoolMember> {
  const running: RunningSimulator = await startSimulator({
    port: 0,
    apiKey: TEST_SECRETS.WAHA_API_KEY,
    seed: 11,
    timing: FAST,
    ...options,
  });
  return {
    url: running.url,
    simulator: new HttpClient(running.url, { 'x-api-key': TEST_SECRETS.WAHA_API_KEY }),
    close: () => running.close(),
  };
}

/** Registers a WAHA over the API. */
export async function register(platform: HttpClient, url: string, more: object = {}): Promise<WireServer> {
  const body = { name: 'WAHA of a test', base_url: url, api_key: TEST_SECRETS.WAHA_API_KEY, ...more };
  const answer = await platform.post<WireServer>('/waha/servers', body);
  if (answer.status !== 201) throw new Error(`Registering gave ${answer.outcome}: ${answer.text}`);
  return answer.body;
}

/** What the session is in that WAHA; `gone` where it is not known there. */
export async function statusIn({ simulator }: Pick<PoolMember, 'simulator'>, wahaName: string): Promise<string> {
  const answer = await simulator.get<{ status: string }>(`/api/sessions/${wahaName}`);
  return answer.status === 404 ? 'gone' : answer.body.status;
}
