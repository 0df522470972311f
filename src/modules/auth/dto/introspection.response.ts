import { ApiProperty } from '@nestjs/swagger';
import { permissionsOfActor } from '../../../common/actor';
import { type Role, ROLES } from '../../../common/permissions';
import type { Introspected } from '../introspection.service';

/** What a token is worth now (RFC 7662 §2.2); of one that is worth nothing here, `active` alone. */
export class IntrospectionResponse {
  active: boolean;

  /** The id of the user or of the API key. */
  sub?: string;
  tenant_id?: string;

  @ApiProperty({ enum: ROLES, nullable: true, required: false, description: 'Null for an API key with scopes' })
  role?: Role | null;

  /** The permissions that it holds, separated by blanks. */
  scope?: string;

  /** The API key's id; absent for users. */
  client_id?: string;

  /** The user's email; absent for API keys. */
  username?: string;

  @ApiProperty({ enum: ['Bearer'], required: false })
  token_type?: 'Bearer';

  /** Seconds since the epoch, as all times here. */
  exp?: number;
  iat?: number;

  /** The token's own id. */
  jti?: string;
}

/** Lists what may be told of a token; of one that is not live, nothing. */
export function introspectionResponse(introspected: Introspected | null): IntrospectionResponse {
  if (!introspected) return { active: false };
  const { actor, claims, email } = introspected;
  return {
    active: true,
    sub: actor.id,
    tenant_id: actor.tenantId,
    role: actor.role,
    scope: permissionsOfActor(actor).join(' '),
    ...(email === null ? { client_id: actor.id } : { username: email }),
    token_type: 'Bearer',
    exp: claims.exp,
    iat: claims.iat,
    jti: claims.jti,
  };
}
