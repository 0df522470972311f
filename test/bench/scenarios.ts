import { createHmac } from 'node:crypto';
import type { Bed } from './bed';
import type { LoadRequest, Server } from './programs';
import { LISTED_PRODUCT, webhookBody } from './seed';

/** One comparison: the same request to the service and to the reference. */
export interface Scenario {
  title: string;
  /** At least so much of the reference's requests per second, at 64 connections. */
  aim: number;
  /** What the service is compared with; the reference unless told otherwise. */
  against?: 'unaudited';
  /** The request; `run` makes the ids of one run differ from those of all others. */
  request(run: string): LoadRequest;
  /** The answer's body without what differs from request to request: service and reference must say the same. */
  comparable(answer: unknown): unknown;
}

/** The comparisons over HTTP. */
export const scenariosOf = (bed: Bed): Scenario[] => [...platformScenarios(bed), ...productScenarios(bed)];

function productScenarios({ identities }: Bed): Scenario[] {
  const get = (path: string) => (): LoadRequest => ({
    ...{ method: 'GET', path, headers: { authorization: identities.reader } },
  });
  return [
    {
      title: '(g) `GET /products/:id`, cached',
      aim: 0.7,
      request: get(`/products/${LISTED_PRODUCT}`),
      comparable: (answer) => answer,
    },
    {
      title: '(h) `GET /products?category=sport&sort=price`',
      aim: 0.7,
      request: get('/products?category=sport&sort=price&limit=20'),
      comparable: (answer) => answer,
    },
  ];
}

function platformScenarios({ customers, identities }: Bed): Scenario[] {
  const { body, placeholder } = webhookBody(customers.webhook);
  return [
    {
      title: '(a) `POST /messages/send`',
      aim: 0.8,
      request: () => ({
        ...{ method: 'POST', path: '/messages/send' },
        headers: { ...JSON_BODY, authorization: identities.sender },
        body: JSON.stringify({ to: '+44 20 7946 0958', text: 'Your order is ready. You can pick it up until six.' }),
      }),
      comparable: (answer) => ({ ...(answer as object), id: null, created_at: null }),
    },
    {
      title: '(b) `POST /webhooks/waha`',
      aim: 0.8,
      request: (run) => ({
        ...{ method: 'POST', path: '/webhooks/waha', headers: JSON_BODY, body },
        signed: { placeholder, prefix: `evt_${run}_`, secret: customers.webhook.secret },
      }),
      comparable: (answer) => answer,
    },
    {
      title: '(c) `GET /messages?limit=50`',
      aim: 0.7,
      request: () => ({ method: 'GET', path: '/messages?limit=50', headers: { authorization: identities.reader } }),
      comparable: (answer) => answer,
    },
    {
      title: '(d) `GET /auth/profile`, JWT',
      aim: 0.6,
      request: () => ({ method: 'GET', path: '/auth/profile', headers: { authorization: identities.reader } }),
      comparable: (answer) => answer,
    },
    {
      title: '(e) `GET /auth/profile`, API key',
      aim: 0.6,
      request: () => ({ method: 'GET', path: '/auth/profile', headers: { 'x-api-key': identities.key } }),
      comparable: (answer) => answer,
    },
    {
      title: '(f) `PATCH /users/me`, audited',
      aim: 0.75,
      against: 'unaudited',
      request: () => ({
        ...{ method: 'PATCH', path: '/users/me', headers: JSON_BODY, body: JSON.stringify({ name: 'Bench' }) },
        variants: identities.writers.map((authorization) => ({ authorization })),
      }),
      comparable: (answer) => ({ ...(answer as object), updated_at: null }),
    },
  ];
}

const JSON_BODY = { 'content-type': 'application/json' };

/** Asks both once. @throws Error when they do not answer the same */
export async function assertSameAnswers(bed: Bed, scenario: Scenario): Promise<void> {
  const other = bed[scenario.against ?? 'reference'];
  const [ours, theirs] = [await once(bed.service, scenario, 'check-a'), await once(other, scenario, 'check-b')];
  if (ours !== theirs) throw new Error(`${scenario.title} answers differ:\n${ours}\n${theirs}`);
}

async function once({ port }: Server, { request, comparable }: Scenario, run: string): Promise<string> {
  const { method, path, headers, body, variants, signed } = request(run);
  const text = signed ? body?.replaceAll(signed.placeholder, signed.prefix) : body;
  const hmac =
    signed && text ? { 'x-webhook-hmac': createHmac('sha512', signed.secret).update(text).digest('hex') } : {};
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: { ...headers, ...variants?.[0], ...hmac },
    body: text,
  });
  return `${answer.status} ${JSON.stringify(comparable(await answer.json()))}`;
}
