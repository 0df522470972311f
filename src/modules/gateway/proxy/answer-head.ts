import { STATUS_CODES } from 'node:http';
import { HeaderKind, kindOf, namedIn, removeNamed } from './header-kinds';

/** What an upstream's head says, for the client. */
export interface AnswerHead {
  /** Names and values in turn, as they came: without those of one hop. */
  readonly headers: string[];
  /** Of the body; -1 where only its end shows it. */
  readonly lengthBytes: number;
  readonly isEventStream: boolean;
  /** Whether its body is coded for the way in no other manner than in chunks, once: others are not unpacked here. */
  readonly isPlain: boolean;
  /** Of `Upgrade`, in lower case. */
  readonly upgrade: string | null;
}

const CONTENT_TYPE = 'content-type';
const EVENT_STREAM = 'text/event-stream';
const NOT_PLAIN = /[^\t -~]/;

/** The reason phrase as it came, or the usual one where it is not of plain characters. */
export const plainReason = (status: number, reason: string): string | undefined =>
  NOT_PLAIN.test(reason) ? STATUS_CODES[status] : reason;

const dropped = (kind: HeaderKind): boolean =>
  kind === HeaderKind.hopByHop ||
  kind === HeaderKind.connection ||
  kind === HeaderKind.upgrade ||
  kind === HeaderKind.requestId;

/** RFC 9110 §8.6. */
const hasNoLength = (status: number): boolean => status === 204 || status < 200;

const isPlain = (codings: string): boolean => codings === '' || codings === 'chunked';

/** @param raw names and values in turn, as undici's parser gives them */
export function readAnswerHead(raw: readonly Uint8Array[], status: number): AnswerHead {
  const headers: string[] = [];
  let named: Set<string> | null = null;
  let lengthBytes = -1;
  let isEventStream = false;
  let codings = '';
  let upgrade: string | null = null;
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as Buffer).toString('latin1');
    const value = (raw[i + 1] as Buffer).toString('latin1');
    const kind = kindOf(name);
    if (kind === HeaderKind.endToEnd) {
      headers.push(name, value);
      if (name.length === CONTENT_TYPE.length && isEvents(name, value)) isEventStream = true;
    } else if (kind === HeaderKind.contentLength) {
      if (hasNoLength(status)) continue;
      headers.push(name, value);
      lengthBytes = Number(value);
    } else if (kind === HeaderKind.connection) named = namedIn(value, named);
    else if (kind === HeaderKind.transferEncoding) codings += value.toLowerCase();
    else if (kind === HeaderKind.upgrade) upgrade = value.toLowerCase();
    else if (!dropped(kind)) headers.push(name, value);
  }
  if (named !== null) removeNamed(headers, named);
  return { headers, lengthBytes, isEventStream, isPlain: isPlain(codings), upgrade };
}

const isEvents = (name: string, value: string): boolean =>
  value.startsWith(EVENT_STREAM) && name.toLowerCase() === CONTENT_TYPE;
