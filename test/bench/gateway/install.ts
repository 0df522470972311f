import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { NotInstalledError } from './native';

const FOLDER = path.join(__dirname, 'peers');
const LOCK = path.join(FOLDER, 'package-lock.json');
/** npm writes it at the end of an installation. */
const INSTALLED = path.join(FOLDER, 'node_modules/.package-lock.json');

let installation: Promise<void> | undefined;

/**
 * Installs what the lock of the peers' folder names, once and when it has changed: they are no dependencies of the service.
 * @throws NotInstalledError when the registry cannot be reached, or npm fails for another reason
 */
export function installPeers(): Promise<void> {
  installation ??= isInstalled() ? Promise.resolve() : install();
  return installation;
}

const isInstalled = (): boolean => existsSync(INSTALLED) && statSync(INSTALLED).mtimeMs >= statSync(LOCK).mtimeMs;

async function install(): Promise<void> {
  console.log('installing the Node proxies to compare with…');
  try {
    await promisify(execFile)('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: FOLDER });
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new NotInstalledError(`npm ci failed: ${(stderr ?? String(error)).trim().split('\n').at(-1)}`);
  }
}

/** As pinned. */
export function peerVersion(name: string): string {
  const { dependencies } = JSON.parse(readFileSync(path.join(FOLDER, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  return dependencies[name] ?? 'unknown';
}
