import { userActor } from '../../common/actor';
import { loadConfig } from '../../config/load-config';
import { runInContext } from '../context/request-context';
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
