import { pino, type DestinationStream, type Logger } from 'pino';
import { redactText } from './redaction';

/** What is said of one answer. Never the address, which may carry ids and secrets. */
export interface AccessLine {
  /** The client's own may be among them: it is redacted. */
  readonly requestId: string;
  /** Whose request it was; undefined: nobody's that is known. */
  readonly actor: { readonly tenantId: string; readonly id: string } | undefined;
  readonly method: string;
  /** A route's template, or its id; `unmatched` without one. */
  readonly route: string;
  readonly status: number;
  readonly ms: number;
  readonly ip: string;
  /** Of the gateway: until the head of the upstream's answer, null without one; and how often it was asked. */
  readonly upstream?: { readonly ms: number | null; readonly attempts: number };
}

/** Writes one line per answer where `info` is logged. */
export type AccessLog = (line: AccessLine) => void;

const hundredths = (ms: number): number => Math.round(ms * 100) / 100;

/**
 * The access log in the logger's own stream, in order with its other lines and of the same form. It stands beside the logger
 * because there is a line for every answer: what makes a line of whatever it is given costs the gateway a third of its time.
 */
export function createAccessLog(logger: Logger): AccessLog {
  const stream = (logger as Logger & { [pino.symbols.streamSym]: DestinationStream })[pino.symbols.streamSym];
  const bindings = logger.bindings();
  return (line) => {
    if (!logger.isLevelEnabled('info')) return;
    stream.write(`${JSON.stringify(recordOf(line, bindings))}\n`);
  };
}

function recordOf({ requestId, actor, method, route, status, ms, ip, upstream }: AccessLine, bindings: object): object {
  return {
    level: 'info',
    time: new Date().toISOString(),
    ...bindings,
    request_id: redactText(requestId),
    tenant_id: actor?.tenantId,
    user_id: actor?.id,
    method,
    route,
    status,
    ms: hundredths(ms),
    upstream_ms: upstream && (upstream.ms === null ? null : hundredths(upstream.ms)),
    attempts: upstream?.attempts,
    ip,
    msg: 'request',
  };
}
