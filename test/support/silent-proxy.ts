import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands before a server, and may hang as it would: connections are taken, and nothing more is heard of them. */
export interface SilentProxy {
  port: number;
  /** From now on nothing is passed on, on old connections and new ones. */
  fallSilent(): void;
  /** New connections are passed on again; those of the silence stay silent for good. */
  recover(): void;
  /** How many connections there are. */
  connections(): number;
  close(): Promise<void>;
}

/** Starts one on a free port of this machine. */
export async function startSilentProxy(targetPort: number): Promise<SilentProxy> {
  let silent = false;
  const open = new Set<Socket>();
  const held = (socket: Socket): Socket => {
    open.add(socket);
    return socket.on('error', () => undefined).once('close', () => open.delete(socket));
  };
  const server = createServer((client) => {
    held(client);
    if (silent) return void client.resume();
    const upstream = held(connect(targetPort, '127.0.0.1'));
    client.pipe(upstream).pipe(client);
    client.once('close', () => upstream.destroy());
    upstream.once('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    fallSilent: () => {
      silent = true;
      for (const socket of open) socket.unpipe().resume();
    },
    recover: () => {
      silent = false;
    },
    connections: () => open.size,
    close: async () => {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, 'close');
    },
  };
}
