import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes a file of the project that is made of its sources; with `--check` only says, by the exit code too, whether it is up to date. */
export function writeOrCheck(name: string, text: string): void {
  const file = join(__dirname, '..', name);
  if (!process.argv.includes('--check')) return writeFileSync(file, text);
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return console.log(`${name} is up to date`);
  console.error(`${name} is not what the sources say: run the tool that makes it, without --check`);
  process.exitCode = 1;
}
