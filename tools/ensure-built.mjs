// Builds the service into `dist` when the sources have changed since the last build.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const dist = path.join(root, 'dist');
/** What is kept between starts. */
export const cache = path.join(root, 'node_modules', '.cache', 'start');
/** The program that a build makes. */
export const entry = path.join(dist, 'src', 'main.js');
const stamp = (folder) => path.join(folder, '.build-stamp');

/** Folders that killed builds left behind are swept, at the latest after this time: the number may be in use again. */
const ABANDONED_AFTER_MS = 10 * 60_000;

/** By content, since a checkout changes the times of files and not always their content. */
async function fingerprint() {
  const top = (await readdir(root)).filter((name) =>
    /^(ormconfig\.ts|package\.json|tsconfig.*\.json|nest-cli\.json)$/.test(name),
  );
  const below = ['src', 'migrations'].map(async (folder) =>
    (await readdir(path.join(root, folder), { recursive: true, withFileTypes: true }))
      .filter((item) => item.isFile() && !item.name.endsWith('.spec.ts'))
      .map((item) => path.relative(root, path.join(item.parentPath, item.name))),
  );
  const hash = createHash('sha256').update(process.version);
  for (const file of [...top, ...(await Promise.all(below)).flat()].sort()) {
    hash.update(`\0${file}\0`).update(await readFile(path.join(root, file)));
  }
  return hash.digest('hex');
}

/**
 * Builds beside `dist` and moves the result there when it is complete: a build killed half-way is never run, and starts
 * side by side do not pull the files from under each other.
 */
async function build(fingerprint) {
  process.stdout.write('Building…\n');
  const name = `dist.new-${process.pid}`;
  const made = path.join(root, name);
  const config = path.join(cache, `tsconfig.${process.pid}.json`);
  await mkdir(cache, { recursive: true });
  const at = (...names) => path.relative(cache, path.join(root, ...names)).replaceAll('\\', '/');
  const compilerOptions = { outDir: at(name), tsBuildInfoFile: at(name, '.tsbuildinfo') };
  await writeFile(config, JSON.stringify({ extends: at('tsconfig.build.json'), compilerOptions }));
  try {
    await run('node_modules/@nestjs/cli/bin/nest.js', 'build', '--path', path.relative(root, config));
    await writeFile(stamp(made), fingerprint);
    await replaceDist(made);
  } finally {
    await rm(made, { recursive: true, force: true });
    await rm(config, { force: true });
  }
}

async function replaceDist(made) {
  for (let attempt = 1; ; attempt++) {
    const old = path.join(root, `dist.old-${process.pid}`);
    await rename(dist, old).catch(ignore('ENOENT'));
    await rm(old, { recursive: true, force: true });
    try {
      return await rename(made, dist);
    } catch (error) {
      if (attempt === 5 || !['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(error.code)) throw error; // another start was in between
    }
  }
}

const ignore = (code) => (error) => {
  if (error.code !== code) throw error;
};

/** Runs one of the project's programs with this Node; what ends us while it runs ends it too. */
function run(program, ...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path.join(root, program), ...args], { cwd: root, stdio: 'inherit' });
    const forward = (signal) => child.kill(signal);
    process.on('SIGINT', forward).on('SIGTERM', forward);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      process.off('SIGINT', forward).off('SIGTERM', forward);
      if (code === 0) resolve();
      else reject(new Error(`The build ended with ${signal ?? `code ${code}`}`));
    });
  });
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

async function sweep() {
  for (const name of await readdir(root)) {
    if (!/^dist\.(new|old)-\d+$/.test(name)) continue;
    const folder = path.join(root, name);
    const info = await stat(folder).catch(ignore('ENOENT'));
    if (!info || (isAlive(Number(name.split('-')[1])) && Date.now() - info.mtimeMs < ABANDONED_AFTER_MS)) continue;
    await rm(folder, { recursive: true, force: true });
  }
}

/** Resolves when `dist` is what the sources say. @throws Error when they do not build */
export async function ensureBuilt() {
  if (!existsSync(path.join(root, 'src'))) return; // an installation without the sources comes built
  await sweep();
  const wanted = await fingerprint();
  const present = await readFile(stamp(dist), 'utf8').catch(ignore('ENOENT'));
  if (present === wanted && existsSync(entry)) return;
  await build(wanted);
}
