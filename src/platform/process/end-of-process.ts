import type { INestApplication } from '@nestjs/common';
import type { Logger } from 'pino';
import { shutDown } from '../http/shutdown';

interface Running {
  app: INestApplication;
  logger: Logger;
  /** How long what is in flight may take to finish. */
  timeoutMs: number;
  /** Stops what the start brought up beside the application (the embedded PostgreSQL); runs last. */
  stop: () => Promise<void>;
}

/** Ctrl-C under npm arrives twice, from the terminal and passed on by npm: that is still one wish. */
const SAME_WISH_MS = 500;

/** SIGTERM and SIGINT end the process gracefully with code 0; a second one ends it at once with code 1. */
export function endOnSignal(running: Running): void {
  let firstAtMs: number | undefined;
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      const nowMs = performance.now();
      if (firstAtMs === undefined) {
        firstAtMs = nowMs;
        void end(running, signal);
      } else if (nowMs - firstAtMs > SAME_WISH_MS) process.exit(1);
    });
}

async function end({ app, logger, timeoutMs, stop }: Running, signal: string): Promise<void> {
  logger.info({ signal }, 'shutting down');
  let code = 0;
  try {
    const finished = await shutDown(app, timeoutMs);
    if (!finished) logger.warn({ timeout_ms: timeoutMs }, 'not everything in flight was finished in time');
    await stop();
  } catch (error) {
    logger.error({ err: error }, 'the shutdown failed');
    code = 1;
  }
  process.exit(code);
}

/** What nobody caught leaves the process in an unknown state: it is logged and the process ends, for its supervisor to start again. */
export function endOnUncaught(logger: Logger): void {
  const fatal = (kind: string) => (error: unknown) => {
    logger.fatal({ err: error, kind }, 'the process ends: nobody caught this');
    process.exit(1);
  };
  process.on('unhandledRejection', fatal('unhandledRejection'));
  process.on('uncaughtException', fatal('uncaughtException'));
}
