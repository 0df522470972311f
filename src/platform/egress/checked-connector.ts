import type { LookupAddress } from 'node:dns';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { buildConnector } from 'undici';
import { addressRefused, hostOf } from './egress-target';
import { passOverContinue } from './unasked-continue';

/** Every address of a host name. */
export type Resolver = (hostname: string) => Promise<LookupAddress[]>;

interface ConnectorOptions {
  mayConnect: (address: string) => boolean;
  resolve: Resolver;
  timeoutMs: number;
}

/**
 * Opens connections for undici, each to an address that was checked for it: a name is resolved once a connection, one closed
 * address among many refuses all of them, and the socket goes to what was checked and is not resolved again. That of the
 * socket's other end is checked too, whatever else should have happened meanwhile. A `100 Continue` on it breaks nothing.
 */
export function checkedConnector({ mayConnect, resolve, timeoutMs }: ConnectorOptions): buildConnector.connector {
  const lookup: LookupFunction = (hostname, options, done) => {
    resolve(hostname).then(
      (addresses) => {
        const [first] = addresses;
        if (!first || !addresses.every(({ address }) => mayConnect(address))) return done(addressRefused(), '', 0);
        return options.all ? done(null, addresses) : done(null, first.address, first.family);
      },
      (error: unknown) => done(error as NodeJS.ErrnoException, '', 0),
    );
  };
  const connect = buildConnector({ lookup, timeout: timeoutMs, allowH2: false });
  return (options, done) => {
    const host = hostOf(options);
    if (isIP(host) !== 0 && !mayConnect(host)) return done(addressRefused(), null);
    return connect(options, (...[error, socket]: [Error, null] | [null, Socket]) => {
      if (error) return done(error, null);
      if (!mayConnect(socket.remoteAddress ?? '')) {
        socket.destroy();
        return done(addressRefused(), null);
      }
      done(null, socket);
      return passOverContinue(socket);
    });
  };
}
