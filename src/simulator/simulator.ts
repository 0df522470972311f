import type { AddressInfo } from 'node:net';
import { buildApplication } from './application';
import { resolveSettings, type SimulatorOptions } from './settings';
import { World } from './world';

export type { SimulatorOptions } from './settings';

/** A simulator that listens. */
export interface RunningSimulator {
  /** Its base URL, without a slash at the end. */
  url: string;
  port: number;
  /** Ends sockets and timers at once; the sessions are saved if there is a state file. */
  close(): Promise<void>;
}

/**
 * Starts a stand-in for WAHA: its API under `/api`, and under `/simulator` what phones and WhatsApp do and what goes
 * wrong. Rejects when the port is taken, the key is empty or the state file cannot be read.
 */
export async function startSimulator(options: SimulatorOptions): Promise<RunningSimulator> {
  const world = new World(resolveSettings(options));
  const app = buildApplication(world);
  const host = options.host ?? '127.0.0.1';
  await app.listen({ port: options.port, host });
  const { port } = app.server.address() as AddressInfo;
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  world.url = `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
  world.restore();
  return {
    url: world.url,
    port,
    close: async () => {
      await app.close();
      await world.close();
    },
  };
}
