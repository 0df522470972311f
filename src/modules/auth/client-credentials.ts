import { CommonErrors } from '../../common/common.errors';
import { AuthErrors } from './auth.errors';

/** Who asks for a token, and what it shows for it. */
export interface ClientCredentials {
  id: string;
  secret: string;
}

const BASIC = /^basic +([\w+/-]+=*)$/i;

/**
 * The credentials of a client, from HTTP Basic or from the body (RFC 6749 §2.3.1), not both.
 * @throws VALIDATION_FAILED when they come twice, or half of them is missing
 * @throws AUTHENTICATION_FAILED for an `Authorization` that is no HTTP Basic
 */
export function clientCredentials(
  authorization: string | undefined,
  body: { client_id?: string; client_secret?: string },
): ClientCredentials {
  const { client_id: id, client_secret: secret } = body;
  if (authorization === undefined) return { id: required('client_id', id), secret: required('client_secret', secret) };
  if (secret !== undefined)
    throw CommonErrors.invalidField('client_secret', 'client_secret must not be given beside HTTP Basic');
  const credentials = fromBasic(authorization);
  if (!credentials) throw AuthErrors.clientUnknown();
  if (id !== undefined && id !== credentials.id)
    throw CommonErrors.invalidField('client_id', 'client_id must be that of HTTP Basic');
  return credentials;
}

function required(field: string, value: string | undefined): string {
  if (value === undefined) throw CommonErrors.invalidField(field, `${field} must be given, here or in HTTP Basic`);
  return value;
}

/** Both halves are encoded as in forms before they are put together (RFC 6749 §2.3.1). */
function fromBasic(authorization: string): ClientCredentials | null {
  const text = Buffer.from(BASIC.exec(authorization)?.[1] ?? '', 'base64').toString('utf8');
  const [id, secret, ...rest] = text.split(':').map(formDecoded);
  return id && secret && rest.length === 0 ? { id, secret } : null;
}

function formDecoded(text: string): string | null {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return null;
  }
}
