const SECRET_KEY =
  /^(authorization|proxy-authorization|x-api-key|cookie|set-cookie|.*(password|passwd|secret|api_?key|credential|hash).*|.*token|seed|phone.*|msisdn|to|from|chat_?id|jid|email|body|text|caption|parameters)$/i;

/** Digits that can only be a telephone number or a WhatsApp chat: `+` and digits, digits before `@c.us` and its kin, long bare runs. */
const PHONE = /\+\d[\d ().-]{6,18}\d|(?<![\w.-])\d{8,18}(?=@|(?![\w-]|\.\d))/g;
const BEARER = /\b(Bearer|Basic)\s+[\w.~+/=-]+/gi;
const JWT = /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g;
const API_KEY = /\bsbk_\w{8}_[\w-]+/g;
const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s@/]+@/gi;

/** In whatever one of the five finds: most texts have nothing of it, and one look is cheaper than five. */
const SUSPICIOUS = /\+\d|\d{8}|bearer|basic|eyJ|sbk_|:\/\//i;

/** Ids of our own, which stand in every line and often hold eight digits in a row. */
const UUID_LENGTH = 36;
const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/;

const REDACTED = '[redacted]';
const MAX_DEPTH = 5;

/** What is known of the names of fields. They are few and come with every line; beyond a thousand none is remembered. */
const secretNames = new Map<string, boolean>();
const NAMES_MAX = 1000;

function isSecretName(name: string): boolean {
  const known = secretNames.get(name);
  if (known !== undefined) return known;
  const secret = SECRET_KEY.test(name);
  if (secretNames.size < NAMES_MAX) secretNames.set(name, secret);
  return secret;
}

/** The text without telephone numbers, tokens, API keys and passwords of URLs. */
export function redactText(text: string): string {
  if (text.length === UUID_LENGTH && UUID.test(text)) return text;
  if (!SUSPICIOUS.test(text)) return text;
  return text
    .replace(URL_PASSWORD, `$1:${REDACTED}@`)
    .replace(BEARER, `$1 ${REDACTED}`)
    .replace(JWT, REDACTED)
    .replace(API_KEY, REDACTED)
    .replace(PHONE, REDACTED);
}

/** A copy of a log record in which values under secret names are gone and texts are redacted; deeper than five levels is cut. */
export function redactRecord(record: Record<string, unknown>): Record<string, unknown> {
  return redactObject(record, 0);
}

function redactObject(object: object, depth: number): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(object))
    result[key] = isSecretName(key) && value !== undefined ? REDACTED : redactValue(value, depth);
  return result;
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (value instanceof Error) return describeError(value);
  if (depth >= MAX_DEPTH) return REDACTED;
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth + 1));
  return redactObject(value, depth + 1);
}

/** What a log says of an error: a query's text and parameters, a driver's details and request bodies stay out. */
export function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return typeof error === 'string' ? redactText(error) : typeof error;
  const code: unknown = Reflect.get(error, 'code');
  return {
    type: error.name,
    message: redactText(error.message),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(error.stack ? { stack: redactText(error.stack) } : {}),
    ...(error.cause !== undefined && depth < MAX_DEPTH ? { cause: describeError(error.cause, depth + 1) } : {}),
  };
}
