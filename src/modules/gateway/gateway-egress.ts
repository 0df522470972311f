import type { LookupAddress } from 'node:dns';
import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WaitingLine } from '../../platform/crypto/waiting-line';
import { EgressFailure } from '../../platform/egress/egress-failure';
import { addressRefused, hostOf, targetOf } from '../../platform/egress/egress-target';
import { publicAddresses } from '../../platform/egress/public-addresses';

/** What became of a name when an upstream was saved: whether it may be reached, or nobody could say. */
export type NameVerdict = 'open' | 'refused' | 'unknown';

const ASK_MS = 1_000;
const ASK_TRIES = 2;
/** All of a name's answers, when an upstream is saved. */
const CHECK_MS = 2_000;
const LOWEST_FREE_PORT = 1_024;
const MAX_URL_CHARACTERS = 2_048;
/** What `localhost` is, whatever DNS says (RFC 6761 §6.3). */
const LOOPBACK: LookupAddress = { address: '127.0.0.1', family: 4 };
/** DNS has no such name, or there is no DNS: the system may know it from elsewhere (its hosts file, search domains). */
const NOT_IN_DNS = ['ENOTFOUND', 'ENODATA', 'ECONNREFUSED', 'EBADNAME'];

export interface GatewayEgressOptions {
  /** Networks beyond the public internet that upstreams may lie in. */
  readonly allowed: readonly string[];
  /** Whom names are asked of, address and port; those that the system asks unless told otherwise. */
  readonly dnsServers?: readonly string[];
}

/** Where the upstreams of tenants may be: the public internet and GATEWAY_ALLOWED_CIDRS, never a cloud's metadata. */
export class GatewayEgress {
  private readonly isOpen: (address: string) => boolean;
  /**
   * Names are asked of DNS over sockets of its own: the system's resolver has two threads for the whole process, which two
   * names that hang would take away from everybody.
   */
  private readonly dns = new Resolver({ timeout: ASK_MS, tries: ASK_TRIES });
  /** The system's resolver, for what DNS does not know: of its threads one. */
  private readonly system = new WaitingLine(1, 100);

  constructor({ allowed, dnsServers }: GatewayEgressOptions) {
    this.isOpen = publicAddresses(allowed);
    if (dnsServers) this.dns.setServers(dnsServers);
  }

  /** Whether a connection may go to that IP address. Asked before each one. */
  mayConnect(address: string): boolean {
    return this.isOpen(address);
  }

  /**
   * Every address of a host name, unchecked; within 2 s, or 10 s where only the system may know it.
   * @throws Error when there is none, or nobody answers
   */
  async resolve(hostname: string): Promise<LookupAddress[]> {
    if (isLocal(hostname)) return [LOOPBACK];
    const answers = await Promise.allSettled([this.dns.resolve4(hostname), this.dns.resolve6(hostname)]);
    const [v4, v6] = answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    const found = [...familyOf(v4, 4), ...familyOf(v6, 6)];
    if (found.length > 0) return found;
    const reasons = answers.map((answer) => (answer.status === 'rejected' ? (answer.reason as Error) : null));
    const unanswered = reasons.find(
      (reason) => reason && !NOT_IN_DNS.includes((reason as NodeJS.ErrnoException).code ?? ''),
    );
    if (unanswered) throw unanswered;
    return this.system.run(() => lookup(hostname, { all: true }));
  }

  /**
   * The upstream in its one spelling (origin, and path without a slash at its end), as far as can be said without asking
   * anybody: names are resolved at the connection.
   * @throws EgressFailure EGRESS_REFUSED for what is no http(s) address, carries a user, password, query or fragment, has a
   * port below 1024 other than 80 and 443, is too long, or names an address that may not be connected to
   */
  checkUpstream(address: string): string {
    if (/[?#]/.test(address)) throw refused('An upstream must not carry a query or fragment');
    const url = targetOf(address, this.isOpen);
    if (isLocal(url.hostname) && !this.isOpen(LOOPBACK.address)) throw addressRefused();
    if (!['', '80', '443'].includes(url.port) && Number(url.port) < LOWEST_FREE_PORT)
      throw refused('The port must be 80, 443, or 1024 and above');
    const spelt = url.origin + url.pathname.replace(/\/+$/, '');
    // It is read again whenever the route is changed.
    if (spelt.length > MAX_URL_CHARACTERS)
      throw refused(`The address is longer than ${MAX_URL_CHARACTERS} characters, encoded`);
    return spelt;
  }

  /** What the name of an upstream leads to now; it is asked again at each connection. Never throws, within 2 s. */
  async verdictOn(upstream: string): Promise<NameVerdict> {
    const host = hostOf(new URL(upstream));
    if (isIP(host) !== 0) return this.isOpen(host) ? 'open' : 'refused';
    const late = new AbortController();
    const resolved = this.resolve(host).catch(() => []);
    const addresses = await Promise.race([resolved, sleep(CHECK_MS, [], { signal: late.signal, ref: false })]);
    late.abort();
    if (addresses.length === 0) return 'unknown';
    return addresses.every(({ address }) => this.isOpen(address)) ? 'open' : 'refused';
  }
}

const isLocal = (hostname: string): boolean => /(^|\.)localhost\.?$/i.test(hostname);

const familyOf = (addresses: string[] = [], family: 4 | 6): LookupAddress[] =>
  addresses.map((address) => ({ address, family }));

const refused = (message: string): EgressFailure => new EgressFailure('EGRESS_REFUSED', message);
