import type { OpenAPIObject } from '@nestjs/swagger';
import { refineSchema } from './openapi-schemas';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
type Components = NonNullable<OpenAPIObject['components']>;
type Parameter = NonNullable<Operation['parameters']>[number];
type Answer = NonNullable<Operation['responses'][string]>;

const TEXTS: Record<string, string> = {
  200: 'Done; what was asked for',
  201: 'Made; as it is now',
  202: 'Taken: it is durable, and done soon',
  204: 'Done; there is nothing to say',
  400: 'The request is malformed: `details` names each field at fault',
  401: 'The credential is missing, wrong, expired or revoked',
  403: 'The role does not include this',
  404: 'There is no such resource, or it belongs to somebody else',
  409: 'The request contradicts the present state, or the first one with this `Idempotency-Key` still runs',
  413: 'The body is larger than this route takes',
  415: 'The body is not JSON in UTF-8',
  422: 'The `Idempotency-Key` was used before with another request',
  429: 'Too many requests; `Retry-After` says when to try again',
  503: 'The database or WAHA cannot be reached; try again',
};

/** Headers of answers, by the name under which answers refer to them. */
export const SHARED_HEADERS: NonNullable<Components['headers']> = {
  'X-Request-Id': { description: 'Finds the request in the logs', schema: { type: 'string' } },
  'Retry-After': { description: 'Seconds to wait before the next try', schema: { type: 'integer' } },
  Link: { description: 'The next page (RFC 8288, `rel="next"`); absent on the last', schema: { type: 'string' } },
  'X-Total-Count': {
    description: 'With `count=true`: rows in all, exact to 10,000, then `10000+`',
    schema: { type: 'string' },
  },
  'Idempotent-Replayed': {
    description: '`true` where this is the kept answer of the first request with the same `Idempotency-Key`',
    schema: { type: 'string', enum: ['true'] },
  },
};

/** Headers of requests, by the name under which operations refer to them. */
export const SHARED_PARAMETERS: NonNullable<Components['parameters']> = {
  'X-Tenant-ID': {
    name: 'X-Tenant-ID',
    in: 'header',
    description: 'Id or slug of the caller’s own tenant, where a client wants to be sure of it; another is 404',
    schema: { type: 'string' },
  },
  'Idempotency-Key': {
    name: 'Idempotency-Key',
    in: 'header',
    description: 'Makes the write safe to repeat: the same key with the same request gets the first one’s answer',
    schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[!-~]+$' },
  },
};

/** Adds to an operation what every operation of its kind has in common. Alters it; what it says itself stays. */
export function completeOperation(path: string, method: string, operation: Operation): void {
  const kind = kindOf(method, operation);
  for (const status of errorStatusesOf(path, operation, kind))
    operation.responses[status] ??= { description: errorText(path, status) };
  for (const [status, answer] of Object.entries(operation.responses))
    if (answer && !('$ref' in answer)) completeAnswer(status, answer, kind);
  operation.parameters ??= [];
  for (const parameter of operation.parameters) refineParameter(parameter, path);
  const headers = [...(kind.closed ? ['X-Tenant-ID'] : []), ...(kind.idempotent ? ['Idempotency-Key'] : [])];
  operation.parameters.push(...headers.map((name) => ({ $ref: `#/components/parameters/${name}` })));
}

interface Kind {
  /** Wants a credential. */
  closed: boolean;
  /** Offers `Idempotency-Key`. */
  idempotent: boolean;
  /** Answers page by page. */
  paged: boolean;
  limited: boolean;
}

function kindOf(method: string, operation: Operation): Kind {
  const marks = operation as { 'x-rate-limited'?: boolean; 'x-idempotent'?: boolean };
  const closed = (operation.security?.length ?? 0) > 0;
  return {
    closed,
    idempotent: closed && method !== 'get' && marks['x-idempotent'] !== false,
    paged: operation.parameters?.some((it) => 'name' in it && it.name === 'limit') ?? false,
    limited: marks['x-rate-limited'] !== false,
  };
}

function errorStatusesOf(path: string, operation: Operation, kind: Kind): string[] {
  const statuses = ['400', '503']; // every route refuses fields that it does not know
  if (kind.limited) statuses.push('429');
  if (kind.closed) statuses.push('401', '403', '404');
  if (path.includes('{')) statuses.push('404');
  if (operation.requestBody) statuses.push('413', '415');
  if (kind.idempotent) statuses.push('409', '422');
  return statuses;
}

/** Without an id in the address only the header can name something that is not there. */
const errorText = (path: string, status: string): string =>
  status === '404' && !path.includes('{')
    ? '`X-Tenant-ID` names no tenant of the caller'
    : (TEXTS[status] ?? 'The request is refused');

type PlainAnswer = Exclude<Answer, { $ref: string }>;

function completeAnswer(status: string, answer: PlainAnswer, { paged, idempotent }: Kind): void {
  const succeeded = status < '400';
  answer.description ||= TEXTS[status] ?? '';
  if (!succeeded) answer.content ??= errorContent();
  const names = ['X-Request-Id'];
  if (status === '429' || status === '503') names.push('Retry-After');
  if (succeeded && paged) names.push('Link', 'X-Total-Count');
  if (succeeded && idempotent) names.push('Idempotent-Replayed');
  const shared = names.map((name) => [name, { $ref: `#/components/headers/${name}` }]);
  answer.headers = { ...(Object.fromEntries(shared) as PlainAnswer['headers']), ...answer.headers };
}

const errorContent = () => ({ 'application/json': { schema: { $ref: '#/components/schemas/ErrorResponse' } } });

/** Products, customers and orders may have ids that their maker has chosen. */
const BY_TEXT_ID = /^\/(?:products|customers|orders)\/\{id\}/;

function refineParameter(parameter: Parameter, path: string): void {
  if ('$ref' in parameter) return;
  const text = parameter.in === 'path' && BY_TEXT_ID.test(path);
  if (parameter.in === 'path') parameter.description ??= `Id of what is meant${text ? '' : ', a UUID'}`;
  if (text && parameter.schema) Object.assign(parameter.schema, { maxLength: 64 });
  if (parameter.schema) refineSchema(parameter.schema, parameter.name);
}
