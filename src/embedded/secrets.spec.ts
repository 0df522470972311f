import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { loadOrMakeSecrets } from './secrets';

describe('loadOrMakeSecrets', () => {
  let root: string;
  let folder: string;

  beforeEach(async () => {
    root = await mkdtemp(path.join(os.tmpdir(), 'secrets-'));
    folder = path.join(root, 'a', 'b');
  });

  afterEach(() => rm(root, { recursive: true, force: true }));

  const modeOf = async (file: string) => ((await stat(file)).mode & 0o777).toString(8);
  const file = () => path.join(folder, 'secrets.json');

  it('makes them once and gives the same ever after', async () => {
    const made = await loadOrMakeSecrets(folder);
    expect(Buffer.from(made.dataEncryptionKey, 'base64')).toHaveLength(32);
    expect(new Set(Object.values(made)).size).toBe(4);
    expect(await loadOrMakeSecrets(folder)).toEqual(made);
    expect(await readdir(folder)).toEqual(['secrets.json']);
  });

  it('lets nobody else read them, and lets the account of PostgreSQL pass when we are root', async () => {
    const before = process.umask(0o077);
    try {
      await loadOrMakeSecrets(folder);
    } finally {
      process.umask(before);
    }
    expect(await modeOf(file())).toBe('600');
    const expected = process.getuid?.() === 0 ? '711' : '700';
    expect([await modeOf(folder), await modeOf(path.dirname(folder))]).toEqual([expected, expected]);
  });

  it('leaves the mode of a folder that was there, and closes a file that was open to all', async () => {
    await loadOrMakeSecrets(folder);
    await chmod(folder, 0o750);
    await chmod(file(), 0o644);
    await loadOrMakeSecrets(folder);
    expect([await modeOf(folder), await modeOf(file())]).toEqual(['750', '600']);
  });

  it('gives everybody the same when several make them at once', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => loadOrMakeSecrets(folder)));
    expect(new Set(all.map((it) => JSON.stringify(it))).size).toBe(1);
    expect(JSON.parse(await readFile(file(), 'utf8'))).toEqual(all[0]);
    expect(await readdir(folder)).toEqual(['secrets.json']);
  });

  it.each([
    ['half a file', (text: string) => text.slice(0, 40), /is not JSON/],
    ['an empty file', () => '', /is not JSON/],
    ['something else', () => 'null', /holds no secrets/],
    ['an emptied secret', (text: string) => text.replace(/"jwtSecret": "[^"]+"/, '"jwtSecret": ""'), /jwtSecret/],
    ['a missing secret', (text: string) => text.replace('wahaApiKey', 'other'), /wahaApiKey/],
    [
      'a short key',
      (text: string) => text.replace(/(dataEncryptionKey": ")[^"]+/, `$1${'*'.repeat(44)}`),
      /base64 of 32 bytes/,
    ],
  ])('refuses %s and leaves it alone', async (_what, spoil, reason) => {
    await loadOrMakeSecrets(folder);
    const spoilt = spoil(await readFile(file(), 'utf8'));
    await writeFile(file(), spoilt);
    const refusal = expect(loadOrMakeSecrets(folder)).rejects;
    await refusal.toMatchObject({
      name: 'EmbeddedError',
      reason: 'bad-secrets',
      message: expect.stringMatching(reason),
    });
    expect(await readFile(file(), 'utf8')).toBe(spoilt);
  });
});
