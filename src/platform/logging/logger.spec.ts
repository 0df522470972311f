import { spawnSync } from 'node:child_process';
import { userActor } from '../../common/actor';
import { loadConfig } from '../../config/load-config';
import { runInContext } from '../context/request-context';
import { createAccessLog } from './access-log';
import { createLogger } from './logger';
import { NestLogger } from './nest-logger';

const context = {
  requestId: 'trace-12345678',
  ip: '127.0.0.1',
  userAgent: undefined,
  resourceId: undefined,
  actor: userActor({ id: 'u', tenantId: 't', role: 'AGENT', loginId: 'l' }),
} as const;

function logger(level = 'info') {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  return { lines, log: createLogger(loadConfig({ NODE_ENV: 'test', LOG_LEVEL: level }), { write }) };
}

describe('the logger', () => {
  it('says in each line of a request whose it is', () => {
    const { lines, log } = logger();
    runInContext({ ...context }, () => log.info('inside'));
    log.info('outside');
    expect(lines[0]).toMatchObject({
      msg: 'inside',
      level: 'info',
      request_id: 'trace-12345678',
      tenant_id: 't',
      user_id: 'u',
    });
    expect(lines[1]).not.toHaveProperty('request_id');
  });

  it('redacts texts, fields and errors', () => {
    const { lines, log } = logger();
    log.error({ err: new Error('no route to +49 170 1234567'), authorization: 'Bearer x' }, 'failed for 491701234567');
    expect(JSON.stringify(lines)).not.toMatch(/1234567|Bearer x/);
    expect(lines[0]).toMatchObject({
      msg: 'failed for [redacted]',
      err: { type: 'Error', message: 'no route to [redacted]' },
    });
  });

  it('is silent when it is told so', () => {
    const { lines, log } = logger('silent');
    log.fatal('the end');
    expect(lines).toEqual([]);
  });

  it('takes the lines of Nest, its chatter only when debugging', () => {
    const { lines, log } = logger();
    const nest = new NestLogger(log);
    nest.log('Mapped {/x, GET} route', 'RouterExplorer');
    nest.log('lane parked', 'Lanes');
    nest.warn({ msg: 'Redis is away', tries: 3 }, 'Redis');
    nest.error('could not be kept', new Error('boom'), 'Idempotency');
    nest.error(new Error('bang'), undefined, 'ExceptionsHandler');
    expect(lines.map(({ level, msg, context: from }) => [level, msg, from])).toEqual([
      ['info', 'lane parked', 'Lanes'],
      ['warn', 'Redis is away', 'Redis'],
      ['error', 'could not be kept', 'Idempotency'],
      ['error', 'bang', 'ExceptionsHandler'],
    ]);
    expect(lines[2]).toMatchObject({ err: { message: 'boom' } });
    expect(lines[3]).toMatchObject({ err: { message: 'bang' } });
  });
});

describe('the access log', () => {
  const line = {
    requestId: 'call-+49 170 1234567"\n',
    actor: undefined,
    method: 'GET',
    route: '/messages/:id',
    status: 200,
    ms: 1.23456,
    ip: '192.0.2.1',
  };

  it('writes into the logger’s stream, in order, redacted, whatever an id has in it', () => {
    const { lines, log } = logger();
    const write = createAccessLog(log);
    log.info('before');
    write({ ...line, actor: { tenantId: 't', id: 'u' }, upstream: { ms: null, attempts: 2 } });
    write({ ...line, upstream: { ms: 2.00001, attempts: 1 } });
    log.info('after');
    expect(lines.map(({ msg }) => msg)).toEqual(['before', 'request', 'request', 'after']);
    const { time } = lines[1] ?? {};
    expect(lines[1]).toEqual({
      ...{ level: 'info', time, role: 'all', request_id: 'call-[redacted]"\n', tenant_id: 't', user_id: 'u' },
      ...{ method: 'GET', route: '/messages/:id', status: 200, ms: 1.23, upstream_ms: null, attempts: 2 },
      ...{ ip: '192.0.2.1', msg: 'request' },
    });
    expect(new Date(String(time)).toISOString()).toBe(time);
    expect(lines[2]).toMatchObject({ upstream_ms: 2, attempts: 1 });
    expect(lines[2]).not.toHaveProperty('tenant_id');
  });

  it('is silent where info is not logged', () => {
    const { lines, log } = logger('warn');
    createAccessLog(log)(line);
    expect(lines).toEqual([]);
  });
});

describe('in production', () => {
  it('every line is written before the process is gone, in order', () => {
    const script = `
      require('@swc-node/register');
      const { createLogger } = require('./src/platform/logging/logger.ts');
      const log = createLogger({ NODE_ENV: 'production', LOG_LEVEL: 'info', ROLE: 'all' });
      for (let i = 0; i < 500; i += 1) log.info({ i }, 'x'.repeat(100));
      process.exit(3);`;
    const { status, stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    expect(status).toBe(3);
    const numbers = stdout
      .trim()
      .split('\n')
      .map((each) => (JSON.parse(each) as { i: number }).i);
    expect(numbers).toEqual(Array.from({ length: 500 }, (_, i) => i));
  });
});
