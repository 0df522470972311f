import { Client } from 'pg';
import { loadConfig, type Variables } from './load-config';

const problemsOf = (variables: Variables): string[] => {
  try {
    loadConfig(variables);
    return [];
  } catch (error) {
    return (error as Error).message
      .split('\n')
      .slice(1)
      .map((line) => line.replace('  - ', ''));
  }
};

describe('a variable that is wrong', () => {
  it.each([
    [{ PORT: 'abc' }, 'PORT must be an integer number, not "abc"'],
    [{ PORT: '70000' }, 'PORT must not be greater than 65535, not "70000"'],
    [{ PORT: '0x10' }, 'PORT must be an integer number, not "0x10"'],
    [{ SIGNUP_ENABLED: 'yes' }, 'SIGNUP_ENABLED must be a boolean value, not "yes"'],
    [{ TRUSTED_PROXIES: '10.0.0.0/99' }, 'TRUSTED_PROXIES must be a comma-separated list of CIDRs, not "10.0.0.0/99"'],
  ])('%j is told of once, with its value', (variables, problem) => {
    expect(problemsOf(variables)).toEqual([problem]);
  });

  it.each(['JWT_SECRET', 'DATA_ENCRYPTION_KEY', 'METRICS_TOKEN', 'DATABASE_URL', 'REDIS_URL', 'DEMO_PASSWORD'])(
    '%s is told of without its value',
    (name) => {
      const problems = problemsOf({ [name]: 'hush' });
      expect(problems).toEqual([expect.stringContaining(name)]);
      expect(problems.join()).not.toContain('hush');
    },
  );
});

describe('DB_HOST', () => {
  const hostOf = (host: string) =>
    new Client(loadConfig({ DB_HOST: host, DB_PASSWORD: 'p@ss/wörd' }).DATABASE_URL).host;

  it.each(['::1', '2001:db8::7', '127.0.0.1', 'db.internal', 'my_db'])('%s is where we connect', (host) => {
    expect(hostOf(host)).toBe(host);
  });

  it.each(['a b', 'db:5433', 'user@db', '/var/run/postgresql', 'fe80::1%eth0', 'db/other'])('%s is refused', (host) => {
    expect(problemsOf({ DB_HOST: host })).toEqual([
      `DB_HOST must be a host name or an IP address, not ${JSON.stringify(host)}`,
    ]);
  });

  it('carries user, password and database whatever is in them', () => {
    const url = loadConfig({ DB_HOST: 'db', DB_USERNAME: 'o:w@ner', DB_PASSWORD: 'p@ss/wörd' }).DATABASE_URL;
    expect(new Client(url)).toMatchObject({ user: 'o:w@ner', password: 'p@ss/wörd', port: 5432 });
  });
});

describe('production', () => {
  const complete: Variables = {
    NODE_ENV: 'production',
    DATABASE_URL: 'postgres://owner@db/switchboard',
    WAHA_BASE_URL: 'http://waha:3000',
    WAHA_API_KEY: 'qK3vPz0aW7',
    JWT_SECRET: 'mC2Xr8Yt5LqB9wNf4HsJ6dGk1VpZ7aEu',
    DATA_ENCRYPTION_KEY: 'b3DkQ0m9nYyHk8k1m0Yy7uV0pXn0bKqkq2m5m9v6wEo=',
  };

  it('takes secrets of its own', () => {
    expect(problemsOf(complete)).toEqual([]);
  });

  it.each([0, 7, 255])('refuses a key of 32 bytes %i', (byte) => {
    const key = Buffer.alloc(32, byte).toString('base64');
    expect(problemsOf({ ...complete, DATA_ENCRYPTION_KEY: key })).toEqual([
      'DATA_ENCRYPTION_KEY is a sample value, which production refuses',
    ]);
    expect(problemsOf({ ...complete, NODE_ENV: 'development', DATA_ENCRYPTION_KEY: key })).toEqual([]);
  });

  it('refuses tokens without a password', () => {
    expect(problemsOf({ ...complete, AUTH_DEV_TOKENS: 'true' })).toEqual([
      'AUTH_DEV_TOKENS gives tokens without a password, which production refuses',
    ]);
    expect(problemsOf({ ...complete, AUTH_DEV_TOKENS: 'false' })).toEqual([]);
  });

  it('refuses samples, and names all that is missing', () => {
    expect(problemsOf({ ...complete, JWT_SECRET: 'change-me-'.repeat(4) })).toEqual([
      'JWT_SECRET is a sample value, which production refuses',
    ]);
    expect(problemsOf({ NODE_ENV: 'production' })).toHaveLength(5);
  });
});
