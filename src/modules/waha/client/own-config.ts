import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { WahaSessionConfig } from './session-config';
import { isObject } from './waha-answers';

type Json = Record<string, unknown>;
type Webhook = WahaSessionConfig['webhooks'][number];

const objectOf = (value: unknown): Json => (isObject(value) ? value : {});

/** Those of the flags that we set, as WAHA has them; what it leaves out, or null, is as it is without being told. */
const flagsOf = (theirs: unknown, ours: Record<string, boolean>, unlessTold: boolean): Json =>
  Object.fromEntries(Object.keys(ours).map((name) => [name, objectOf(theirs)[name] ?? unlessTold]));

/** Ours is the one that is signed with the session's secret, or goes to our address. */
const isOurs =
  ({ url, hmac }: Webhook) =>
  (theirs: unknown): boolean =>
    isObject(theirs) && (theirs.url === url || objectOf(theirs.hmac).key === hmac.key);

/** What we set of a webhook, its events in no order. */
const webhookOf = (webhook: unknown): Json => {
  const { url, events, hmac, retries } = objectOf(webhook);
  const { policy, delaySeconds, attempts } = objectOf(retries);
  const names = Array.isArray(events) ? events.map(String).sort() : [];
  return { url, events: names, key: objectOf(hmac).key ?? null, retries: { policy, delaySeconds, attempts } };
};

const webhooksIn = (config: unknown): unknown[] => {
  const { webhooks } = objectOf(config);
  return Array.isArray(webhooks) ? webhooks : [];
};

/** The part of a configuration that we set, as WAHA has it: what others set beside it is not in it (docs/WAHA.md §3). */
function ownPart(theirs: unknown, ours: WahaSessionConfig): Json {
  const { metadata, ignore, noweb, gows } = objectOf(theirs);
  const { markOnline = null, store } = objectOf(noweb);
  return {
    metadata: Object.keys(ours.metadata).map((name) => objectOf(metadata)[name] ?? null),
    ignore: flagsOf(ignore, ours.ignore, false),
    markOnline: markOnline ?? true,
    store: flagsOf(store, ours.noweb.store, false),
    storage: flagsOf(objectOf(gows).storage, ours.gows.storage, true),
    webhooks: ours.webhooks.map((own) => webhooksIn(theirs).filter(isOurs(own)).map(webhookOf)),
  };
}

/** Whether WAHA's configuration of a session has our part of it as it should be. */
export const hasOurs = (theirs: unknown, ours: WahaSessionConfig): boolean =>
  isDeepStrictEqual(ownPart(theirs, ours), ownPart(ours, ours));

/** Tells our part of one configuration from that of another; what others set changes nothing. */
export const fingerprintOf = (theirs: unknown, ours: WahaSessionConfig): string =>
  createHash('sha256')
    .update(JSON.stringify(ownPart(theirs, ours)))
    .digest('base64url');

/** The same with the addresses that WAHA has: of webhooks which are signed with our secrets. */
export const atTheirAddress = (theirs: unknown, ours: WahaSessionConfig): WahaSessionConfig => ({
  ...ours,
  webhooks: ours.webhooks.map((own) => {
    const signed = webhooksIn(theirs).find((webhook) => objectOf(objectOf(webhook).hmac).key === own.hmac.key);
    const { url } = objectOf(signed);
    return typeof url === 'string' ? { ...own, url } : own;
  }),
});

/** Ours within what WAHA has: a whole configuration, for that is what is replaced. What others have set there stays. */
export function withOurs(theirs: unknown, ours: WahaSessionConfig): Json {
  const config = objectOf(theirs);
  const { metadata, ignore, noweb, gows } = config;
  const others = webhooksIn(theirs).filter((webhook) => !ours.webhooks.some((own) => isOurs(own)(webhook)));
  return {
    ...config,
    metadata: { ...objectOf(metadata), ...ours.metadata },
    ignore: { ...objectOf(ignore), ...ours.ignore },
    noweb: { ...objectOf(noweb), ...ours.noweb },
    gows: { ...objectOf(gows), storage: { ...objectOf(objectOf(gows).storage), ...ours.gows.storage } },
    webhooks: [...others, ...ours.webhooks],
  };
}
