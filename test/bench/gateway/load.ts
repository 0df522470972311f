import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Cleanup } from '../cleanup';
import { cpuUsOf, cpuUsOfEnded } from '../cpu';
import { type LoadResult, Program } from '../programs';
import { NotInstalledError, programNamed, versionOf } from './native';
import type { Running } from './ground';
import type { Scenario } from './requests';

/** What a run of load came to. */
export interface Measured {
  requests: number;
  elapsedS: number;
  p50Ms: number;
  p99Ms: number;
}

/** Makes the load: the same tool for all rows of a page. */
export interface LoadTool {
  name: string;
  /** Microseconds of CPU that it has used so far; what it starts counts when it has ended. */
  cpuUs(): number;
  /** @throws Error when a request fails or an answer is not 2xx */
  run(running: Running, scenario: Scenario, seconds: number): Promise<Measured>;
}

/** wrk where it is installed, with one thread; else the generator of the other benches. */
export async function startLoadTool(cleanup: Cleanup, folder: string): Promise<LoadTool> {
  try {
    return await wrk(programNamed('wrk'), folder);
  } catch (error) {
    if (!(error instanceof NotInstalledError)) throw error;
    return ownGenerator(cleanup);
  }
}

/** A body says what it is: some proxies refuse one that does not. */
const headersOf = ({ headers }: Running, { body }: Scenario): Record<string, string> =>
  body ? { ...headers, 'content-type': 'application/octet-stream' } : headers;

/** Runs no Lua for a request: only before the first, and after the last. */
const SCRIPT = `
function init(args)
  wrk.method = args[1]
  if args[2] then
    wrk.body = io.open(args[2], "rb"):read("*a")
  end
end
function done(summary, latency)
  local errors = summary.errors
  print(string.format('{"requests":%d,"elapsedUs":%d,"p50Us":%d,"p99Us":%d,"status":%d,"sockets":%d}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
`;

/** wrk calls two seconds an error: how slow an answer is, the percentiles say. */
const TIMEOUT = '30s';

interface WrkSays {
  requests: number;
  elapsedUs: number;
  p50Us: number;
  p99Us: number;
  status: number;
  sockets: number;
}

async function wrk(program: string, folder: string): Promise<LoadTool> {
  const [script, body] = [path.join(folder, 'wrk.lua'), path.join(folder, 'wrk-body')];
  writeFileSync(script, SCRIPT);
  return {
    name: `wrk ${await versionOf(program, '-v')}, one thread`,
    cpuUs: cpuUsOfEnded,
    run: async (running, scenario, seconds) => {
      if (scenario.body) writeFileSync(body, scenario.body);
      const headers = Object.entries(headersOf(running, scenario)).flatMap(([name, value]) => [
        '-H',
        `${name}: ${value}`,
      ]);
      const options = [
        '-t1',
        `-c${scenario.connections}`,
        `-d${seconds}s`,
        '--timeout',
        TIMEOUT,
        '-s',
        script,
        ...headers,
      ];
      const url = `http://127.0.0.1:${running.port}${scenario.path}`;
      const sent = [scenario.method, ...(scenario.body ? [body] : [])];
      const { stdout } = await promisify(execFile)(program, [...options, url, '--', ...sent]);
      const said = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as WrkSays;
      if (said.requests === 0 || said.status + said.sockets > 0)
        throw new Error(`${said.requests} answered, ${said.status} not 2xx, ${said.sockets} broken off or too late`);
      const { requests, elapsedUs, p50Us, p99Us } = said;
      return { requests, elapsedS: elapsedUs / 1e6, p50Ms: p50Us / 1_000, p99Ms: p99Us / 1_000 };
    },
  };
}

function ownGenerator(cleanup: Cleanup): LoadTool {
  const generator = Program.start('load-generator.mjs');
  cleanup.add(() => generator.stop());
  return {
    name: 'test/bench/load-generator.mjs (wrk is not installed)',
    cpuUs: () => cpuUsOf(generator.pid),
    run: async (running, scenario, seconds) => {
      const { method, path: target, body, connections } = scenario;
      const request = { method, path: target, headers: headersOf(running, scenario), body: body?.toString('latin1') };
      const order = { port: running.port, connections, seconds, request, atMost: 0 };
      const { result } = await generator.ask<{ result: LoadResult }>(order);
      if (result.requests === 0 || Object.keys(result.failures).length > 0)
        throw new Error(`${result.requests} answered, not 2xx: ${JSON.stringify(result.failures)}`);
      return result;
    },
  };
}
