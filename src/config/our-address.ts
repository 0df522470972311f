import type { Config } from './config';

type Addressed = Pick<Config, 'WAHA_WEBHOOK_URL' | 'PORT'>;

const WEBHOOK_PATH = '/webhooks/waha';

/** Where WAHA posts its events. */
export const webhookUrlOf = ({ WAHA_WEBHOOK_URL: given, PORT: port }: Addressed): string =>
  given ?? `http://localhost:${port}${WEBHOOK_PATH}`;

/** What our addresses begin with as the world sees us, without a slash at the end. */
export const publicUrlOf = ({ PUBLIC_URL: given, PORT: port }: Pick<Config, 'PUBLIC_URL' | 'PORT'>): string =>
  (given ?? `http://localhost:${port}`).replace(/\/+$/, '');

/** What our addresses begin with as WAHA sees us, without a slash at the end: the webhook's before its path. */
export function addressForWaha(config: Addressed): string {
  const url = new URL(webhookUrlOf(config));
  const path = url.pathname.endsWith(WEBHOOK_PATH) ? url.pathname.slice(0, -WEBHOOK_PATH.length) : '';
  return url.origin + path;
}
