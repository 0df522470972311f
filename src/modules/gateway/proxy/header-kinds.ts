/** What a header is to a proxy. */
export const HeaderKind = {
  /** Goes through as it came. */
  endToEnd: 0,
  /** Ends at each hop (RFC 9110 §7.6.1), or is meant for a proxy. */
  hopByHop: 1,
  /** What the gateway alone says to an upstream: a client's is never believed. */
  ours: 2,
  connection: 3,
  host: 4,
  key: 5,
  contentLength: 6,
  transferEncoding: 7,
  expect: 8,
  upgrade: 9,
  requestId: 10,
} as const;
export type HeaderKind = (typeof HeaderKind)[keyof typeof HeaderKind];

const KINDS = new Map<string, HeaderKind>([
  ['connection', HeaderKind.connection],
  ['host', HeaderKind.host],
  ['x-api-key', HeaderKind.key],
  ['content-length', HeaderKind.contentLength],
  ['transfer-encoding', HeaderKind.transferEncoding],
  ['expect', HeaderKind.expect],
  ['upgrade', HeaderKind.upgrade],
  ['x-request-id', HeaderKind.requestId],
  ['keep-alive', HeaderKind.hopByHop],
  ['proxy-connection', HeaderKind.hopByHop],
  ['proxy-authenticate', HeaderKind.hopByHop],
  ['proxy-authorization', HeaderKind.hopByHop],
  ['te', HeaderKind.hopByHop],
  ['trailer', HeaderKind.hopByHop],
  ['http2-settings', HeaderKind.hopByHop],
  ['proxy', HeaderKind.ours], // becomes HTTP_PROXY of a CGI program
  ['forwarded', HeaderKind.ours],
  ['x-real-ip', HeaderKind.ours],
]);

const OUR_PREFIXES = ['x-forwarded-', 'x-tenant-'];

/** Names as they were written. Few are in use; a client that invents names fills it once and is then looked up anew each time. */
const known = new Map<string, HeaderKind>();
const KNOWN_MAX = 2000;

function classify(name: string): HeaderKind {
  const lower = name.toLowerCase();
  const kind = KINDS.get(lower);
  if (kind !== undefined) return kind;
  // Many servers hand `X_Tenant_Id` to their programs as `X-Tenant-Id`.
  const folded = lower.replaceAll('_', '-');
  if (OUR_PREFIXES.some((prefix) => folded.startsWith(prefix))) return HeaderKind.ours;
  return folded !== lower && KINDS.has(folded) ? HeaderKind.ours : HeaderKind.endToEnd;
}

/** The kind of a header, in whatever case its name is written. */
export function kindOf(name: string): HeaderKind {
  const seen = known.get(name);
  if (seen !== undefined) return seen;
  const kind = classify(name);
  if (known.size < KNOWN_MAX) known.set(name, kind);
  return kind;
}

/** Options of `Connection` that name no header. */
const PLAIN_OPTIONS = new Set(['keep-alive', 'close', 'upgrade', '']);

/**
 * The headers that a `Connection` names, in lower case, added to those named before.
 * @returns null when none is named
 */
export function namedIn(value: string, before: Set<string> | null): Set<string> | null {
  if (value === 'keep-alive' || value === 'close' || value === 'Keep-Alive') return before;
  let named = before;
  for (const option of value.toLowerCase().split(',')) {
    const name = option.trim();
    if (PLAIN_OPTIONS.has(name)) continue;
    named ??= new Set();
    named.add(name);
  }
  return named;
}

/** Takes out the headers of these names, in place. @param list names and values in turn. @param names in lower case */
export function removeNamed(list: string[], names: ReadonlySet<string>): void {
  let kept = 0;
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i] as string;
    if (names.has(name.toLowerCase())) continue;
    list[kept] = name;
    list[kept + 1] = list[i + 1] as string;
    kept += 2;
  }
  list.length = kept;
}
