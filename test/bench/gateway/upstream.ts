import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { freePort } from '../../../src/embedded/postgres-server';
import type { Cleanup } from '../cleanup';
import { Program } from '../programs';
import { NotInstalledError, programNamed, startNative, versionOf } from './native';
import { ECHO_PATH, LARGE, POSTED, SMALL } from './requests';

/** What all contenders stand in front of. */
export interface Upstream {
  /** The same on both; all but Switchboard, which balances, use the first alone. */
  ports: [number, number];
  pids: number[];
  /** Program and version. */
  madeOf: string;
}

/** Starts nginx with one worker, or, where there is none, a small server of Node in a process of its own. */
export async function startUpstream(cleanup: Cleanup, folder: string): Promise<Upstream> {
  const files = writeFiles(path.join(folder, 'files'));
  const echo = Program.start('gateway/upstream-server.mjs');
  cleanup.add(() => echo.stop());
  const posted = { path: POSTED.path, body: POSTED.answer };
  const { port: ports } = await echo.ask<{ port: [number, number] }>({ files, posted, echoPath: ECHO_PATH });
  try {
    return await startNginx(cleanup, folder, ports[0]);
  } catch (error) {
    if (!(error instanceof NotInstalledError)) throw error;
    return { ports, pids: [echo.pid], madeOf: `node:http of Node ${process.version}` };
  }
}

/** Path of each file by the path it is asked for. */
function writeFiles(root: string): Record<string, string> {
  const entries = [SMALL, LARGE].map(({ path: asked, content }) => {
    const file = path.join(root, asked);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
    return [asked, file] as const;
  });
  return Object.fromEntries(entries);
}

async function startNginx(cleanup: Cleanup, folder: string, echoPort: number): Promise<Upstream> {
  const program = programNamed('nginx');
  const ports: [number, number] = [await freePort(), await freePort()];
  const server = `
    sendfile on;
    tcp_nopush on;
    open_file_cache max=16 inactive=1h;
    open_file_cache_valid 1h;
    server {
      listen 127.0.0.1:${ports[0]};
      listen 127.0.0.1:${ports[1]};
      root ${path.join(folder, 'files')};
      location = ${POSTED.path} { return 200 "${POSTED.answer.replace('\n', '\\n')}"; }
      location = ${ECHO_PATH} {
        proxy_set_header X-Listener $server_port;
        proxy_pass http://127.0.0.1:${echoPort};
      }
    }`;
  const conf = writeNginxConf(path.join(folder, 'nginx-upstream'), server);
  const where = { port: ports[0], logFile: path.join(path.dirname(conf), 'log') };
  const pid = await startNative(cleanup, [program, '-p', path.dirname(conf), '-c', conf], where);
  return { ports, pids: [pid], madeOf: `nginx ${await versionOf(program, '-v')}, one worker` };
}

/** Writes a configuration of one worker that keeps all of its files in that folder and its connections for good. */
export function writeNginxConf(folder: string, http: string): string {
  mkdirSync(folder, { recursive: true });
  const conf = path.join(folder, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (of) => `${of}_temp_path ${folder}/${of};`,
  );
  writeFileSync(
    conf,
    `${process.getuid?.() === 0 ? 'user root;' : ''}
  daemon off;
  worker_processes 1;
  pid ${folder}/pid;
  error_log ${folder}/error.log warn;
  events { worker_connections 2048; }
  http {
    ${temporary.join('\n    ')}
    default_type application/octet-stream;
    access_log off;
    client_header_buffer_size 16k;
    client_body_buffer_size 16k;
    keepalive_requests 1000000000;
    keepalive_timeout 3600s;
    tcp_nodelay on;
    ${http}
  }
`,
  );
  return conf;
}
