import { isIP } from 'node:net';
import { EgressFailure } from './egress-failure';

const MAX_URL_LENGTH = 2_048;

/** The host without the brackets of IPv6: an address where it is one. */
export const hostOf = ({ hostname }: Pick<URL, 'hostname'>): string => hostname.replace(/^\[|\]$/g, '');

/**
 * The one reading of an address (WHATWG URL) that everything after goes by.
 * @param mayConnect tells whether an IP address may be connected to; names are resolved at the connection
 * @throws EgressFailure EGRESS_REFUSED for what is no http(s) URL, carries a user or password, or names an IP address that is
 * not public
 */
export function targetOf(address: string, mayConnect: (address: string) => boolean, base?: URL): URL {
  const url = address.length <= MAX_URL_LENGTH ? URL.parse(address, base?.href) : null;
  if (!url) throw refused('It is no address that can be fetched');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refused('Only http and https are fetched');
  if (url.username !== '' || url.password !== '') throw refused('An address must not carry a user or password');
  const host = hostOf(url);
  if (isIP(host) !== 0 && !mayConnect(host)) throw addressRefused();
  return url;
}

export const addressRefused = (): EgressFailure => refused('The address is not of the public internet');

const refused = (message: string): EgressFailure => new EgressFailure('EGRESS_REFUSED', message);
