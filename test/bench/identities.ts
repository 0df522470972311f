import type { Server } from './programs';
import type { Customer, Customers } from './seed';

const JSON_BODY = { 'content-type': 'application/json' };

/** Who calls the service, by what each brings, and what it is told of itself. */
export interface Identities {
  /** `authorization` of each customer's user. */
  sender: string;
  reader: string;
  /** `authorization` of users who write at the same time, each its own row. */
  writers: string[];
  /** `x-api-key` of a service account of the reader's tenant. */
  key: string;
  /** The answers of `GET /auth/profile`. */
  profiles: { user: unknown; key: unknown };
}

/** Logs the customers in, makes an API key, and asks who each of them is. */
export async function identitiesOf(service: Server, customers: Customers): Promise<Identities> {
  const { sender, reader, writers } = await tokensOf(service, customers);
  const made = await call<{ key: string }>(service, '/api-keys', {
    ...{ method: 'POST', headers: { ...JSON_BODY, authorization: reader } },
    body: JSON.stringify({ name: 'bench', role: 'MANAGER' }),
  });
  const profileOf = (headers: Record<string, string>) => call<unknown>(service, '/auth/profile', { headers });
  const profiles = {
    user: await profileOf({ authorization: reader }),
    key: await profileOf({ 'x-api-key': made.key }),
  };
  return { sender, reader, writers, key: made.key, profiles };
}

/** Access tokens live for a quarter of an hour, which a whole run does not fit into. */
export async function signInAnew(service: Server, customers: Customers, identities: Identities): Promise<void> {
  Object.assign(identities, await tokensOf(service, customers));
}

async function tokensOf(
  service: Server,
  customers: Customers,
): Promise<Pick<Identities, 'sender' | 'reader' | 'writers'>> {
  const [sender, reader] = [await login(service, customers.sender), await login(service, customers.reader)];
  const writers = await Promise.all(customers.writers.map((writer) => login(service, writer)));
  return { sender, reader, writers };
}

async function login(service: Server, { email, password }: Pick<Customer, 'email' | 'password'>): Promise<string> {
  const { access_token: token } = await call<{ access_token: string }>(service, '/auth/login', {
    ...{ method: 'POST', headers: JSON_BODY },
    body: JSON.stringify({ email, password }),
  });
  return `Bearer ${token}`;
}

async function call<T>({ port }: Server, path: string, init: RequestInit): Promise<T> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, init);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}
