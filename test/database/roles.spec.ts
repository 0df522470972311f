import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { migrate } from '../../src/platform/database/migrate';
import { ROLE_KINDS, roleName } from '../../src/platform/database/role-kinds';
import { ensureRoles, roleUrl } from '../../src/platform/database/roles';
import { TEST_PASSWORD } from '../support/run';

const SERVER = process.env.TEST_POSTGRES_URL ?? '';
const AT_ONCE = 8;

const databases: string[] = [];
const prefixes: string[] = [];
let admin: Client;

beforeAll(async () => {
  admin = await connected(SERVER);
  for (let i = 0; i < AT_ONCE; i += 1) {
    const name = `fresh_${process.env.JEST_WORKER_ID}_${randomBytes(4).toString('hex')}`;
    await admin.query(`create database "${name}"`);
    databases.push(name);
  }
});

afterAll(async () => {
  for (const name of databases) await admin.query(`drop database "${name}" with (force)`);
  for (const prefix of prefixes)
    for (const kind of ROLE_KINDS) await admin.query(`drop role if exists ${roleName(prefix, kind)}`);
  await admin.end();
});

async function connected(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString });
  await client.connect();
  return client;
}

function newPrefix(): string {
  const prefix = `roles_${randomBytes(4).toString('hex')}`;
  prefixes.push(prefix);
  return prefix;
}

function urlOf(database: string): string {
  const url = new URL(SERVER);
  url.pathname = `/${database}`;
  return url.href;
}

/** What each role of the prefix is set to on this server. */
async function settingsOf(prefix: string): Promise<string[][]> {
  const { rows } = await admin.query<{ settings: string[] | null }>(
    `select rolconfig as settings from pg_roles where starts_with(rolname, $1) order by rolname`,
    [`${prefix}_`],
  );
  return rows.map(({ settings }) => [...(settings ?? [])].sort());
}

const TIMEOUTS = ['idle_in_transaction_session_timeout=60s', 'statement_timeout=30s'];

describe('the roles of the service', () => {
  it('are made once by many installations that start at once, on one database and on several', async () => {
    for (let round = 0; round < 4; round += 1) {
      const rolePrefix = newPrefix();
      const places = [...databases, ...databases.slice(0, 4)].map(urlOf);
      const owners = await Promise.all(places.map(connected));
      const access = (ownerUrl: string) => ({ ownerUrl, rolePrefix, appPassword: TEST_PASSWORD });
      const done = await Promise.allSettled(owners.map((owner, i) => ensureRoles(owner, access(places[i] ?? ''))));
      await Promise.all(owners.map((owner) => owner.end()));
      expect(done.filter(({ status }) => status === 'rejected')).toEqual([]);
      expect(await settingsOf(rolePrefix)).toEqual([TIMEOUTS, TIMEOUTS, TIMEOUTS]);
      for (const place of places)
        for (const kind of ROLE_KINDS) await (await connected(roleUrl(access(place), kind))).end();
    }
  });

  it('are in no way of databases that are migrated at once', async () => {
    const rolePrefix = newPrefix();
    const done = await Promise.allSettled(
      databases.slice(0, 3).map((name) => migrate({ ownerUrl: urlOf(name), rolePrefix, appPassword: TEST_PASSWORD })),
    );
    expect(done.filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(await settingsOf(rolePrefix)).toEqual([TIMEOUTS, TIMEOUTS, TIMEOUTS]);
  });

  it('have their time-outs as soon as they are there', async () => {
    const rolePrefix = newPrefix();
    const ownerUrl = urlOf(databases[0] ?? '');
    const owner = await connected(ownerUrl);
    // Whoever dies behind the making of a role has made it whole: the next one finds nothing missing.
    const dies: Client['query'] = ((text: string, values?: unknown[]) => {
      if (/^\s*(?:alter|grant)/.test(text)) throw new Error('died');
      return owner.query(text, values);
    }) as Client['query'];
    const dying = new Proxy(owner, {
      get: (target, key): unknown => (key === 'query' ? dies : Reflect.get(target, key)),
    });
    await expect(ensureRoles(dying, { ownerUrl, rolePrefix, appPassword: TEST_PASSWORD })).rejects.toThrow('died');
    expect(await settingsOf(rolePrefix)).toEqual([TIMEOUTS]);
    await owner.end();
  });
});
