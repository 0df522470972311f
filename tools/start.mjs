// `npm start`: builds when the sources have changed since the last build, then becomes the service, in this process.
import module from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { cache, ensureBuilt, entry } from './ensure-built.mjs';
import { isTooOld, runPinned } from './pinned-node.mjs';

if (isTooOld) await runPinned(fileURLToPath(import.meta.url));
try {
  await ensureBuilt();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
module.enableCompileCache?.(path.join(cache, 'compiled'));
await import(pathToFileURL(entry).href);
