import { pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino';
import type { Config } from '../../config/config';
import { currentContext } from '../context/request-context';
import { LineBuffer } from './line-buffer';
import { redactRecord, redactText } from './redaction';

/** What every line written inside a request carries. */
function contextOfLine(): Record<string, unknown> {
  const context = currentContext();
  if (!context) return {};
  const { requestId, actor } = context;
  return actor ? { request_id: requestId, tenant_id: actor.tenantId, user_id: actor.id } : { request_id: requestId };
}

/** In production lines go out together: one write each costs more than making the line (measured, docs/BENCHMARKS.md). */
const TOGETHER = { characters: 16_384, holdMs: 100 };

/**
 * The process's one logger: JSON lines on standard output with the request's id, tenant and user, redacted. In production
 * lines are written asynchronously, at the latest after 0.1 s, and flushed when the process exits; one that is killed loses
 * that tenth of a second.
 * @param destination where lines go instead of standard output (tests)
 */
export function createLogger(config: Config, destination?: DestinationStream): Logger {
  return pino(
    {
      level: config.LOG_LEVEL,
      base: { role: config.ROLE },
      timestamp: stdTimeFunctions.isoTime,
      mixin: contextOfLine,
      serializers: { err: (described: unknown) => described }, // the formatter below has described it already
      formatters: { level: (label) => ({ level: label }), log: redactRecord },
      hooks: {
        logMethod(args, method) {
          const redacted = args.map((arg) => (typeof arg === 'string' ? redactText(arg) : arg));
          method.apply(this, redacted as typeof args);
        },
      },
    },
    destination ?? standardOutput(config.NODE_ENV === 'production'),
  );
}

function standardOutput(isBuffered: boolean): DestinationStream {
  const output = pino.destination({ dest: 1, sync: !isBuffered });
  return isBuffered ? new LineBuffer(output, TOGETHER) : output;
}
