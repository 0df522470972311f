import type { FreshApiKeyResponse } from '../../src/modules/api-keys/dto/api-key.response';
import type { ServiceTokenResponse } from '../../src/modules/auth/dto/token.response';
import type { HttpClient } from './http-client';
import type { TestApp } from './running-app';

/** A key that was just made, and a client that shows it. */
export interface TestKey extends FreshApiKeyResponse {
  http: HttpClient;
}

/** Makes an API key as somebody who may; of the role TENANT_ADMIN unless the body says otherwise. */
export async function makeKey(app: Pick<TestApp, 'anybody'>, by: HttpClient, body: object = {}): Promise<TestKey> {
  const rights = 'scopes' in body ? {} : { role: 'TENANT_ADMIN' };
  const answer = await by.post<FreshApiKeyResponse>('/api-keys', { name: 'a key', ...rights, ...body });
  if (answer.status !== 201) throw new Error(`Making a key gave ${answer.outcome}: ${answer.text}`);
  return { ...answer.body, http: app.anybody.with({ 'x-api-key': answer.body.key }) };
}

/** An access token for the key, by OAuth 2.0 client credentials; fails unless that works. */
export async function tokenOf(app: TestApp, key: { id: string; key: string }, scope?: string): Promise<string> {
  const credentials = { client_id: key.id, client_secret: key.key };
  const body = { grant_type: 'client_credentials', ...credentials, ...(scope === undefined ? {} : { scope }) };
  const answer = await app.anybody.post<ServiceTokenResponse>('/auth/token', body);
  if (answer.status !== 200) throw new Error(`Asking for a token gave ${answer.outcome}: ${answer.text}`);
  return answer.body.access_token;
}

/** A client with that access token. */
export const bearing = (app: TestApp, token: string): HttpClient =>
  app.anybody.with({ authorization: `Bearer ${token}` });
