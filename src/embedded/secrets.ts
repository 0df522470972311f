import { randomBytes } from 'node:crypto';
import { chmod, link, open, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, EmbeddedError } from './embedded.error';
import { makeFolder, syncFolder } from './folders';

/** The secrets of one installation that was started without any. */
export interface EmbeddedSecrets {
  /** Signs access tokens (HS256); 64 random bytes as base64url. */
  jwtSecret: string;
  /** Base64 of 32 random bytes. */
  dataEncryptionKey: string;
  /** Of the superuser `postgres` of the embedded PostgreSQL. */
  postgresPassword: string;
  /** What the WAHA simulator asks for and what we show it. */
  wahaApiKey: string;
}

const FILE = 'secrets.json';

/** Shortest text per secret that is taken for valid: an emptied or shortened one would make everything forgeable. */
const SHORTEST: Record<keyof EmbeddedSecrets, number> = {
  jwtSecret: 32,
  dataEncryptionKey: 44,
  postgresPassword: 16,
  wahaApiKey: 16,
};

/**
 * The secrets of `<folder>/secrets.json` (mode 600), made at the first call. Of processes that make them at once one
 * wins, and all get the same. The folder is made where it is missing, traversable when we are root, because PostgreSQL's
 * account has to reach its data below it. Error `bad-secrets` for a file that is not whole: it is never replaced, since
 * the data is encrypted with what it held.
 */
export async function loadOrMakeSecrets(folder: string): Promise<EmbeddedSecrets> {
  const absolute = path.resolve(folder);
  const file = path.join(absolute, FILE);
  await makeFolder(absolute);
  return (await load(file)) ?? (await make(absolute, file));
}

async function load(file: string): Promise<EmbeddedSecrets | null> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw badSecrets(file, `cannot be read (${codeOf(error)})`, error);
  }
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw badSecrets(file, 'is not JSON', error);
  }
  const secrets = checked(file, content);
  await chmod(file, 0o600).catch(() => undefined); // a copy put back may be open to all; a read-only one stays as it is
  return secrets;
}

function checked(file: string, content: unknown): EmbeddedSecrets {
  if (typeof content !== 'object' || content === null) throw badSecrets(file, 'holds no secrets');
  const given = content as Partial<Record<keyof EmbeddedSecrets, unknown>>;
  const textOf = (name: keyof EmbeddedSecrets): string => {
    const value = given[name];
    if (typeof value !== 'string' || value.length < SHORTEST[name]) throw badSecrets(file, `has no usable ${name}`);
    return value;
  };
  const secrets = {
    jwtSecret: textOf('jwtSecret'),
    dataEncryptionKey: textOf('dataEncryptionKey'),
    postgresPassword: textOf('postgresPassword'),
    wahaApiKey: textOf('wahaApiKey'),
  };
  if (Buffer.from(secrets.dataEncryptionKey, 'base64').length !== 32) {
    throw badSecrets(file, 'has a dataEncryptionKey that is not base64 of 32 bytes');
  }
  return secrets;
}

const badSecrets = (file: string, what: string, cause?: unknown) =>
  new EmbeddedError(
    'bad-secrets',
    `${file} ${what}. Restore it from a copy: the data in this folder is encrypted with it. ` +
      'To start anew without that data, delete the whole folder.',
    cause,
  );

/** Written beside its place and linked there: a link appears whole or not at all, and never replaces a file. */
async function make(folder: string, file: string): Promise<EmbeddedSecrets> {
  const secrets: EmbeddedSecrets = {
    jwtSecret: randomBytes(64).toString('base64url'),
    dataEncryptionKey: randomBytes(32).toString('base64'),
    postgresPassword: randomBytes(24).toString('base64url'),
    wahaApiKey: randomBytes(24).toString('base64url'),
  };
  const draft = `${file}.${process.pid}-${randomBytes(4).toString('hex')}`;
  try {
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(secrets, null, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await link(draft, file);
    await syncFolder(folder);
    return secrets;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    const winners = await load(file);
    if (!winners) throw error;
    return winners;
  } finally {
    await rm(draft, { force: true });
  }
}
