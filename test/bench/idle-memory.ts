import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cleanup } from './cleanup';
import { makeFolderOnDisk, residentMiB } from './machine';
import { startEmbedded } from './programs';

/** Until what the start itself needed has been collected and the timers have run a few times. */
const IDLE_S = 15;

/** Mebibytes that the service's process occupies when nobody asks it anything, all roles and the simulator in it. */
export async function measureIdleMemory(cleanup: Cleanup): Promise<number> {
  const folder = makeFolderOnDisk();
  cleanup.add(() => rmSync(folder, { recursive: true, force: true }));
  const logs = path.join(folder, 'log');
  mkdirSync(logs);
  const server = await startEmbedded(path.join(folder, 'data'), path.join(logs, 'log'));
  cleanup.add(() => server.stop());
  await sleep(IDLE_S * 1000);
  return residentMiB(server.pid);
}
