import { hash } from 'bcrypt';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Client } from 'pg';
import { newId } from '../../src/common/ids';
import { createAccount } from '../support/accounts';
import { Api } from '../support/api';
import { createTestApp } from '../support/app';
import { freshDatabase, type TestDatabase } from '../support/database';
import { quantile } from '../support/quantile';

/** So costly that bcrypt is most of the time, as in production. */
const ROUNDS = 10;
const TRIES = 50;
/** Other work on the machine may spoil a measurement, never the same way three times. */
const MEASUREMENTS = 3;

let db: TestDatabase;
let owner: Client;
let app: NestFastifyApplication | undefined;

beforeEach(async () => {
  db = await freshDatabase();
  owner = await db.owner();
});

afterEach(async () => {
  await app?.close();
  app = undefined;
  await owner.end();
  await db.drop();
});

const newEmail = () => `${newId()}@acme.example`;
const unknownEmails = () => Array.from({ length: TRIES }, newEmail);

/** New emails that have so many accounts each, in tenants of their own: none is tried often enough to be locked. */
async function knownEmails(accounts: number): Promise<string[]> {
  const emails = unknownEmails();
  for (const email of emails) for (let n = 1; n <= accounts; n++) await createAccount(owner, { email });
  await owner.query('update users set password_hash = $1', [await hash('the right password', ROUNDS)]);
  return emails;
}

/** Milliseconds that a refused login takes. */
async function refusalMs(api: Api, email: string): Promise<number> {
  const start = performance.now();
  const answer = await api.post('/auth/login', { email, password: 'a wrong password' });
  const ms = performance.now() - start;
  expect(answer.refusal).toBe('401 AUTHENTICATION_FAILED');
  return ms;
}

/** The median times of both kinds of emails, tried in turns, so that whatever slows one slows the other. */
async function medians(api: Api, ours: string[], others: string[]): Promise<[number, number]> {
  const times: [number[], number[]] = [[], []];
  for (const [index, email] of ours.entries()) {
    times[0].push(await refusalMs(api, email));
    times[1].push(await refusalMs(api, others[index] ?? ''));
  }
  return [quantile(times[0], 0.5), quantile(times[1], 0.5)];
}

/** The smallest difference of the medians, as a part of the larger, that up to three measurements give. */
async function difference(accounts: number): Promise<number> {
  const differences: number[] = [];
  const first = await knownEmails(accounts);
  app = await createTestApp({
    DATABASE_URL: db.ownerUrl,
    BCRYPT_ROUNDS: String(ROUNDS),
    AUTH_RATE_LIMIT_PER_MINUTE: '100000',
    RATE_LIMIT_PER_MINUTE: '100000',
  });
  const api = new Api(app);
  await refusalMs(api, newEmail());
  for (let n = 1; n <= MEASUREMENTS; n++) {
    const [known, unknown] = await medians(api, n === 1 ? first : await knownEmails(accounts), unknownEmails());
    differences.push(Math.abs(known - unknown) / Math.max(known, unknown));
    if (Math.min(...differences) < 0.1) break;
  }
  return Math.min(...differences);
}

describe('the time of a refused login', () => {
  it('differs by less than 10 % at the median between an unknown and a known email', async () => {
    expect(await difference(1)).toBeLessThan(0.1);
  }, 180_000);

  it('does not tell either that an email has accounts in several tenants', async () => {
    expect(await difference(2)).toBeLessThan(0.1);
  }, 180_000);
});
