import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The nearest package.json above: the sources and the build lie at different depths. */
function readVersion(folder: string): string {
  const file = join(folder, 'package.json');
  if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('package.json is missing beside the application');
  return readVersion(parent);
}

/** The version of this service, as package.json says it. */
export const VERSION: string = readVersion(__dirname);
