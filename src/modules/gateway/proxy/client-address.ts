import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import proxyAddr from '@fastify/proxy-addr';
import { isHost } from './request-head';

/** Where a request comes from. */
export interface Origin {
  /** The client's. */
  readonly address: string;
  /** What `X-Forwarded-For` says to the upstream: the client and the trusted proxies it came by. */
  readonly forwardedFor: string;
  readonly proto: string;
  /** What the client called the gateway: what routes are matched by. */
  readonly host: string;
}

const MAPPED_V4 = '::ffff:';

/** IPv4 in its own spelling, also where the socket listens for both. */
const plain = (address: string): string => {
  const mapped = address.startsWith(MAPPED_V4) && address.includes('.');
  return mapped ? address.slice(MAPPED_V4.length) : address;
};

/** The last of what may be several values, as the nearest proxy wrote it. */
const lastOf = (value: string): string => value.slice(value.lastIndexOf(',') + 1).trim();

/** Reads where requests come from, as Fastify's `trustProxy` does. */
export class ClientAddresses {
  private readonly trusts: ((address: string, index: number) => boolean) | null;

  /** @param trusted CIDRs of the proxies whose `X-Forwarded-*` are believed; empty: nobody's */
  constructor(trusted: readonly string[]) {
    this.trusts = trusted.length > 0 ? proxyAddr.compile([...trusted]) : null;
  }

  /** @param host of the `Host` header */
  of(request: IncomingMessage, host: string): Origin {
    const peer = request.socket.remoteAddress ?? '';
    const proto = (request.socket as TLSSocket).encrypted ? 'https' : 'http';
    if (this.trusts === null || peer === '' || !this.trusts(peer, 0)) {
      const address = plain(peer);
      return { address, forwardedFor: address, proto, host };
    }
    return this.behindProxy(request, { host, proto }, this.trusts);
  }

  private behindProxy(
    request: IncomingMessage,
    own: { host: string; proto: string },
    trusts: (address: string, index: number) => boolean,
  ): Origin {
    const chain = proxyAddr.all(request, trusts).map(plain).reverse();
    const { 'x-forwarded-proto': proto, 'x-forwarded-host': host } = request.headers;
    const said = typeof proto === 'string' ? lastOf(proto).toLowerCase() : own.proto;
    return {
      address: chain[0] as string,
      forwardedFor: chain.join(', '),
      proto: said === 'https' || said === 'http' ? said : own.proto,
      host: typeof host === 'string' && isHost(lastOf(host)) ? lastOf(host) : own.host,
    };
  }
}
