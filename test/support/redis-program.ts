import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** The first `redis-server` of PATH. */
function onPath(): string | undefined {
  return (process.env.PATH ?? '')
    .split(path.delimiter)
    .filter(Boolean)
    .map((folder) => path.join(folder, 'redis-server'))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/**
 * Finds a redis-server for the run, and builds the one that package.json pins where PATH has none: that takes minutes
 * once, so the global setup does it rather than the first test. When that fails too, the tests that need Redis say why.
 */
export async function announceRedis(): Promise<void> {
  try {
    process.env.TEST_REDIS_SERVER = onPath() ?? (await build());
  } catch (error) {
    process.env.TEST_REDIS_PROBLEM = error instanceof Error ? error.message : String(error);
  }
}

/** The redis-server that the global setup found; an error that says what to do when there is none. */
export function redisProgram(): string {
  const program = process.env.TEST_REDIS_SERVER;
  if (program) return program;
  throw new Error(
    'There is no redis-server on PATH (install one: apt-get install redis-server), and the one that package.json ' +
      `pins could not be built: ${process.env.TEST_REDIS_PROBLEM ?? 'the tests run through Jest only'}`,
  );
}

async function build(): Promise<string> {
  process.env.npm_config_strict_ssl ??= 'true'; // the package checks no certificate unless it finds this
  const { RedisBinary } = await import('redis-memory-server');
  return RedisBinary.getPath();
}
