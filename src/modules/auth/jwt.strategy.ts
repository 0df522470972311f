import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { type SecretOrKeyProvider, Strategy } from 'passport-jwt';
import { isId } from '../../common/ids';
import { type AccessClaims, ISSUER, type KeyClaims, type UserClaims } from './access-token';
import { SigningKeys } from './signing-keys';

/** All that the strategy needs of a request. */
interface TokenCarrier {
  token: string;
}

/** What passport gives a strategy to end with; one of them is called exactly once. */
interface Outcome {
  success(claims: AccessClaims): void;
  fail(reason: unknown): void;
  error(error: Error): void;
}

/** Verifies access tokens: HS256 only, by the key that the header's `kid` names, of our issuer and audience, not expired. */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy, 'switchboard-jwt') {
  constructor(keys: SigningKeys) {
    const byKid: SecretOrKeyProvider<TokenCarrier> = (_request, token: string, done) => {
      const key = keys.find(kidOf(token));
      // passport-jwt's types know no KeyObject; jsonwebtoken, which gets it, does.
      if (key) done(null, key.access as unknown as Buffer);
      else done(new Error('No key of this name'));
    };
    super({
      jwtFromRequest: (request: TokenCarrier) => request.token,
      secretOrKeyProvider: byKid,
      algorithms: ['HS256'],
      issuer: ISSUER,
      audience: ISSUER,
    });
  }

  /** What a verified token says, where that is what our tokens say. */
  override validate(claims: PossibleClaims): AccessClaims | false {
    const { sub, tid, exp } = claims;
    const sound = isUuid(sub) && isUuid(tid) && typeof exp === 'number' && isOfUserOrKey(claims);
    return sound && (claims as unknown as AccessClaims);
  }

  /** What the token says; null when it is not one of ours, altered or expired. */
  verify(token: string): Promise<AccessClaims | null> {
    return new Promise((resolve, reject) => {
      const outcome: Outcome = { success: resolve, fail: () => resolve(null), error: reject };
      // As passport itself does for each request: an object of its own with the outcomes on it.
      const once = Object.assign(Object.create(this) as JwtStrategy, outcome);
      once.authenticate({ token } as never);
    });
  }
}

type PossibleClaims = Partial<Record<keyof UserClaims | keyof KeyClaims, unknown>>;

/** Of one of the two: a token that says both would be read one way here and another way there. */
function isOfUserOrKey({ sid, key, scope, dev }: PossibleClaims): boolean {
  if (key === undefined) return isUuid(sid) && scope === undefined;
  const sound = typeof key === 'string' && SHA_256.test(key);
  return sound && sid === undefined && dev === undefined && (scope === undefined || typeof scope === 'string');
}

/** In base64url. */
const SHA_256 = /^[\w-]{43}$/;

const isUuid = (value: unknown): boolean => typeof value === 'string' && isId(value);

function kidOf(token: string): unknown {
  try {
    const header = JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString()) as unknown;
    return (header as { kid?: unknown } | null)?.kid;
  } catch {
    return undefined;
  }
}
