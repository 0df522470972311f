import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

const source = readFileSync(path.join(__dirname, 'collector.ts'), 'utf8');

/** As the file names them: V8 takes no notice of a setting that it does not know. */
const settings = [...source.matchAll(/setFlagsFromString\(['`]--([a-z-]+)/g)].map(([, name]) => name);

it('changes settings that this V8 has', () => {
  const { stdout } = spawnSync(process.execPath, ['--v8-options'], { encoding: 'utf8' });
  expect(settings).toHaveLength(2);
  for (const name of settings) expect(stdout).toContain(`--${name} (`);
});
