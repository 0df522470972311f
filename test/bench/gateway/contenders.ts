import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { freePort } from '../../../src/embedded/postgres-server';
import { Program } from '../programs';
import { installPeers, peerVersion } from './install';
import { programNamed, startNative, versionOf } from './native';
import type { Ground, Running } from './ground';
import { startSwitchboard } from './switchboard';
import { writeNginxConf } from './upstream';

/** `direct`: no proxy; `native`: no Node; `loop`: the floor of the runtime; `node`: what others made of Node. */
export type Kind = 'direct' | 'native' | 'loop' | 'node' | 'switchboard';

/** What takes part. */
export interface Contender {
  /** As `--only=` names it. */
  id: string;
  title: string;
  kind: Kind;
  /** Whether the others are measured when this one cannot be. */
  optional: boolean;
  start(ground: Ground): Promise<Running>;
}

const ALONE = { headers: {}, helpers: [] };
const urlOf = ({ upstream }: Ground): string => `http://127.0.0.1:${upstream.ports[0]}`;

/** In the order of the page. */
export const CONTENDERS: Contender[] = [
  {
    ...{ id: 'direct', title: 'direct to the upstream', kind: 'direct', optional: false },
    start: ({ upstream }) => Promise.resolve({ ...ALONE, port: upstream.ports[0], version: '', pids: [] }),
  },
  { id: 'nginx', title: 'nginx `proxy_pass`', kind: 'native', optional: true, start: startNginx },
  { id: 'haproxy', title: 'haproxy', kind: 'native', optional: true, start: startHaproxy },
  {
    ...{ id: 'loop', title: 'node:http + undici dispatch, nothing else', kind: 'loop', optional: false },
    start: (ground) => startNode(ground, 'gateway/dispatch-loop.mjs', `undici ${ownVersion('undici')}`),
  },
  {
    ...{ id: 'switchboard', title: '**Switchboard**, without a log', kind: 'switchboard', optional: false },
    start: (ground) => startSwitchboard(ground, 'silent'),
  },
  {
    ...{ id: 'switchboard-logging', title: 'Switchboard, with its access log', kind: 'switchboard', optional: false },
    start: (ground) => startSwitchboard(ground, 'logging'),
  },
  ...['@fastify/http-proxy', 'fast-gateway', 'http-proxy-3', 'express-gateway'].map(peer),
];

function peer(name: string): Contender {
  const id = name.replace('@', '').replace('/', '-');
  return {
    ...{ id, title: name, kind: 'node', optional: true },
    start: async (ground) => {
      await installPeers();
      return startNode(ground, `gateway/peers/${id}.mjs`, peerVersion(name));
    },
  };
}

async function startNode(ground: Ground, file: string, version: string): Promise<Running> {
  const program = Program.start(file, { NODE_ENV: 'production' });
  ground.cleanup.add(() => program.stop());
  const told = {
    upstream: urlOf(ground),
    folder: path.join(ground.folder, path.basename(file)),
    port: await freePort(),
  };
  const { port } = await program.ask<{ port: number }>(told);
  return { ...ALONE, port, version, pids: [program.pid] };
}

async function startNginx(ground: Ground): Promise<Running> {
  const program = programNamed('nginx');
  const port = await freePort();
  const server = `
    upstream behind {
      server 127.0.0.1:${ground.upstream.ports[0]};
      keepalive 128;
      keepalive_requests 1000000000;
      keepalive_timeout 3600s;
    }
    server {
      listen 127.0.0.1:${port};
      location / {
        proxy_pass http://behind;
        proxy_http_version 1.1;
        proxy_buffers 32 8k;
        proxy_max_temp_file_size 0;
        proxy_set_header Connection "";
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Forwarded-Host $http_host;
        proxy_set_header X-Request-Id $request_id;
      }
    }`;
  const conf = writeNginxConf(path.join(ground.folder, 'nginx-proxy'), server);
  const where = { port, logFile: path.join(path.dirname(conf), 'log') };
  const pid = await startNative(ground.cleanup, [program, '-p', path.dirname(conf), '-c', conf], where);
  return { ...ALONE, port, version: await versionOf(program, '-v'), pids: [pid] };
}

async function startHaproxy(ground: Ground): Promise<Running> {
  const program = programNamed('haproxy');
  const port = await freePort();
  const conf = path.join(ground.folder, 'haproxy.cfg');
  writeFileSync(
    conf,
    `global
  nbthread 1
  maxconn 2048
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend all
  bind 127.0.0.1:${port}
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Request-Id %[uuid()]
  default_backend behind
backend behind
  http-reuse always
  server one 127.0.0.1:${ground.upstream.ports[0]}
`,
  );
  const where = { port, logFile: path.join(ground.folder, 'haproxy.log') };
  const pid = await startNative(ground.cleanup, [program, '-db', '-f', conf], where);
  return { ...ALONE, port, version: await versionOf(program, '-v'), pids: [pid] };
}

function ownVersion(name: string): string {
  const file = path.resolve(__dirname, '../../../node_modules', name, 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
