import { createHmac, generateKeyPairSync } from 'node:crypto';
import { JwtService } from '@nestjs/jwt';
import { newId } from '../../common/ids';
import { ISSUER } from './access-token';
import { JwtStrategy } from './jwt.strategy';
import { SigningKeys } from './signing-keys';

const SECRET = 'one secret of at least 32 characters';
const FORMER = 'a former secret of 32 characters or so';
const keys = new SigningKeys({ JWT_SECRET: SECRET, JWT_PREVIOUS_SECRETS: [FORMER] });
const strategy = new JwtStrategy(keys);
const claims = { sub: newId(), tid: newId(), sid: newId(), role: 'AGENT' };

type SignOptions = NonNullable<Parameters<JwtService['sign']>[1]>;

const sign = (options: SignOptions = {}, payload: object = claims): string =>
  new JwtService({ secret: keys.current.access }).sign(payload, {
    algorithm: 'HS256',
    keyid: keys.current.kid,
    issuer: ISSUER,
    audience: ISSUER,
    expiresIn: 900,
    ...options,
  });

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
const now = Math.floor(Date.now() / 1000);
const payload = encode({ ...claims, iss: ISSUER, aud: ISSUER, iat: now, exp: now + 900 });

/** A token with a header of the attacker's choice, signed with the text given. */
const handMade = (header: object, secret: string): string => {
  const signed = `${encode(header)}.${payload}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
};

describe('JwtStrategy', () => {
  it('reads a token of ours', async () => {
    expect(await strategy.verify(sign())).toMatchObject(claims);
    expect(await strategy.verify(handMade({ alg: 'HS256', kid: keys.current.kid }, SECRET))).toMatchObject(claims);
  });

  it('reads a token that a former secret signed', async () => {
    const kid = keys.all[1]?.kid;
    expect(await strategy.verify(handMade({ alg: 'HS256', kid }, FORMER))).toMatchObject(claims);
  });

  it.each([
    ['expired', () => sign({ expiresIn: -1 })],
    ['of another issuer', () => sign({ issuer: 'somebody' })],
    ['for another audience', () => sign({ audience: 'somebody' })],
    ['without a login', () => sign({}, { ...claims, sid: undefined })],
    ['signed with HS384', () => sign({ algorithm: 'HS384' })],
    ['of alg none', () => `${encode({ alg: 'none', kid: keys.current.kid })}.${payload}.`],
    ['of alg none with a signature', () => handMade({ alg: 'none', kid: keys.current.kid }, SECRET)],
    ['of another secret', () => handMade({ alg: 'HS256', kid: keys.current.kid }, 'x'.repeat(32))],
    [
      'that names the former key but is signed with ours',
      () => handMade({ alg: 'HS256', kid: keys.all[1]?.kid }, SECRET),
    ],
    ['of a key unknown here', () => handMade({ alg: 'HS256', kid: 'deadbeef' }, SECRET)],
    ['without a key id', () => handMade({ alg: 'HS256' }, SECRET)],
    ['whose key id is not a text', () => handMade({ alg: 'HS256', kid: { $ne: '' } }, SECRET)],
    ['of no header', () => `${Buffer.from('null').toString('base64url')}.${payload}.AAAA`],
    ['that is no token', () => 'nonsense'],
  ])('refuses a token %s', async (_what, make) => {
    expect(await strategy.verify(make())).toBeNull();
  });

  it('refuses a token signed with a key pair', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const token = new JwtService({}).sign(claims, { privateKey, algorithm: 'RS256', keyid: keys.current.kid });
    expect(await strategy.verify(token)).toBeNull();
  });

  it('keeps verifications at the same time apart', async () => {
    const subjects = Array.from({ length: 20 }, () => newId());
    const tokens = subjects.map((sub) => sign({}, { ...claims, sub }));
    const read = await Promise.all(tokens.map((token) => strategy.verify(token)));
    expect(read.map((one) => one?.sub)).toEqual(subjects);
  });
});

describe('SigningKeys', () => {
  it('names a secret always the same and without telling it', () => {
    expect(keys.current.kid).toMatch(/^[0-9a-f]{8}$/);
    expect(new SigningKeys({ JWT_SECRET: SECRET, JWT_PREVIOUS_SECRETS: [] }).current.kid).toBe(keys.current.kid);
    expect(keys.all[1]?.kid).not.toBe(keys.current.kid);
  });

  it('does without no secret', () => {
    expect(() => new SigningKeys({ JWT_PREVIOUS_SECRETS: [] })).toThrow('JWT_SECRET');
  });
});
