/**
 * The whole list of error codes: `code` → HTTP status and what it means. `docs/ERRORS.md` is this table as a page, kept
 * equal by a test; a code that is not here does not compile.
 */
export const ERROR_CODES = {
  VALIDATION_FAILED: { status: 400, meaning: 'The request is malformed: `details` names each field at fault.' },
  AUTHENTICATION_FAILED: { status: 401, meaning: 'The credential is missing, wrong, expired or revoked.' },
  PLAN_LIMIT_REACHED: {
    status: 402,
    meaning: 'The plan or quota of the tenant allows no more of this; the figure is in the text.',
  },
  FORBIDDEN: { status: 403, meaning: 'The caller is known, but its role does not include this.' },
  KEY_BOUNDS_EXCEEDED: {
    status: 403,
    meaning:
      'A key may make, change or rotate only keys that are bound as tightly as itself: `details` names each looser bound.',
  },
  TENANT_SUSPENDED: { status: 403, meaning: 'The tenant is suspended: the gateway passes nothing on for it.' },
  SIGNUP_DISABLED: { status: 403, meaning: 'Self-registration is switched off on this installation.' },
  DEV_TOKENS_DISABLED: { status: 403, meaning: 'Tokens without a password are switched off on this installation.' },
  NOT_FOUND: { status: 404, meaning: 'There is no such route or resource, or it belongs to somebody else.' },
  TENANT_NOT_FOUND: { status: 404, meaning: '`X-Tenant-ID` names no tenant of the caller.' },
  ROUTE_NOT_FOUND: { status: 404, meaning: 'No route of the gateway takes this request.' },
  METHOD_NOT_ALLOWED: { status: 405, meaning: 'The path exists, but not with this method.' },
  REQUEST_TIMEOUT: { status: 408, meaning: 'The request did not arrive in time.' },
  CONFLICT: { status: 409, meaning: 'The request contradicts the present state of the resource.' },
  EMAIL_TAKEN: { status: 409, meaning: 'An account with this email exists already.' },
  SLUG_TAKEN: { status: 409, meaning: 'A tenant of this slug exists already.' },
  LAST_ADMIN: { status: 409, meaning: 'The tenant would be left without an active TENANT_ADMIN.' },
  TENANT_REQUIRED: { status: 409, meaning: 'The email has accounts in several tenants: name one in `tenant`.' },
  SESSION_NAME_TAKEN: { status: 409, meaning: 'A WhatsApp session of this name exists in the tenant.' },
  TEMPLATE_NAME_TAKEN: { status: 409, meaning: 'A template of this name and language exists in the tenant.' },
  PRODUCT_EXISTS: { status: 409, meaning: 'A product of this id exists in the tenant.' },
  INSUFFICIENT_STOCK: {
    status: 409,
    meaning: 'There are fewer pieces than asked for: `available` beside the code says how many there are.',
  },
  CUSTOMER_ID_TAKEN: { status: 409, meaning: 'A customer of this id exists in the tenant.' },
  CUSTOMER_EMAIL_TAKEN: { status: 409, meaning: 'A customer with this email exists in the tenant.' },
  CUSTOMER_PHONE_TAKEN: { status: 409, meaning: 'A customer with this phone number exists in the tenant.' },
  CUSTOMER_ANONYMISED: {
    status: 409,
    meaning: 'The customer was deleted; what its orders refer to cannot be changed.',
  },
  SERVER_TAKEN: { status: 409, meaning: 'A WAHA server of this address is registered already.' },
  SERVER_IN_USE: {
    status: 409,
    meaning: 'The WAHA server still has sessions, or is that of `WAHA_BASE_URL`: it cannot be deleted.',
  },
  SESSION_NOT_READY: {
    status: 409,
    meaning: 'The WhatsApp session is not in the state that this needs; its status is in the text.',
  },
  SESSION_REQUIRED: { status: 409, meaning: 'The tenant has no session, or several: name one in `session_id`.' },
  MESSAGE_STATE: {
    status: 409,
    meaning: 'The message is in a status from which this cannot be done; it is in the text.',
  },
  CAMPAIGN_STATE: {
    status: 409,
    meaning: 'The campaign is in a status from which this cannot be done; it is in the text.',
  },
  FORCE_REQUIRED: {
    status: 409,
    meaning: 'The message may have been sent already: `{"force": true}` sends it all the same.',
  },
  EVENT_STATE: {
    status: 409,
    meaning: 'The event is in a status from which it cannot be applied again; it is in the text.',
  },
  ORDER_ID_TAKEN: { status: 409, meaning: 'An order of this id exists in the tenant.' },
  INVALID_TRANSITION: {
    status: 409,
    meaning: 'The order cannot get from its status to that one; only a pending order goes anywhere.',
  },
  GATEWAY_ROUTE_CONFLICT: {
    status: 409,
    meaning:
      'Another enabled route of the gateway takes the same path, host and one of the methods: its id is in the text.',
  },
  GATEWAY_ROUTE_LIMIT: {
    status: 409,
    meaning: 'The tenant has as many routes of the gateway, or regular expressions among them, as it may have.',
  },
  IDEMPOTENCY_IN_PROGRESS: { status: 409, meaning: 'The first request with this `Idempotency-Key` is still running.' },
  PRECONDITION_FAILED: { status: 412, meaning: '`If-Match` no longer holds.' },
  PAYLOAD_TOO_LARGE: { status: 413, meaning: 'The body is larger than this route takes.' },
  FILE_TOO_LARGE: { status: 413, meaning: 'The file is larger than `MAX_UPLOAD_BYTES`; nothing of it was kept.' },
  URI_TOO_LONG: { status: 414, meaning: 'The address is longer than the server takes.' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, meaning: 'The body is of a content type that this route does not take.' },
  RANGE_NOT_SATISFIABLE: {
    status: 416,
    meaning: 'Nothing of the `Range` is in the file; `Content-Range` says how long it is.',
  },
  IDEMPOTENCY_KEY_REUSED: { status: 422, meaning: 'The `Idempotency-Key` was used before with another body.' },
  WAHA_TOO_OLD: { status: 422, meaning: 'The WAHA server is older than 2026.6.1 and knows one session only.' },
  WAHA_NOT_RECOGNIZED: {
    status: 422,
    meaning: 'What answers at this address is no WAHA, or refuses the key.',
  },
  ACCOUNT_LOCKED: {
    status: 429,
    meaning: 'Too many failed logins for this account: `Retry-After` says when it is open again.',
  },
  QUOTA_EXCEEDED: {
    status: 429,
    meaning: 'The plan or quota of the tenant is used up for this minute or day; the figure is in the text.',
  },
  RATE_LIMITED: { status: 429, meaning: 'Too many requests: `Retry-After` says in how many seconds to try again.' },
  HEADERS_TOO_LARGE: { status: 431, meaning: 'The request headers are larger than the server takes.' },
  INTERNAL_ERROR: { status: 500, meaning: 'Something unforeseen; the request id finds it in the logs.' },
  BAD_GATEWAY: { status: 502, meaning: 'The upstream of the route cannot be reached, or gave no valid answer.' },
  DATABASE_ERROR: {
    status: 503,
    meaning: 'The database cannot be reached or refused the work; nothing was stored. Try again.',
  },
  WAHA_UNAVAILABLE: { status: 503, meaning: 'WAHA cannot be reached or did not answer in time.' },
  WAHA_POOL_FULL: { status: 503, meaning: 'No WAHA server that is up has room for another session.' },
  NO_HEALTHY_UPSTREAM: { status: 503, meaning: 'No upstream of the route can be asked at the moment. Try again.' },
  STORAGE_UNAVAILABLE: {
    status: 503,
    meaning: 'The storage of files does not answer, or has as much to do as it may have. Try again.',
  },
  SERVICE_UNAVAILABLE: {
    status: 503,
    meaning: 'The service is starting, shutting down or has too much to do. Try again.',
  },
  GATEWAY_TIMEOUT: { status: 504, meaning: 'The upstream of the route did not answer in the time of the route.' },
} as const satisfies Record<string, { status: number; meaning: string }>;

/** A stable code of the one error shape. */
export type ErrorCode = keyof typeof ERROR_CODES;
