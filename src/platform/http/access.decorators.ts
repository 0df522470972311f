import { applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiBearerAuth, ApiExtension, ApiSecurity } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { type Actor, isUser, type UserActor } from '../../common/actor';
import { CommonErrors } from '../../common/common.errors';
import { type Permission, PERSONAL_PERMISSIONS } from '../../common/permissions';
import { type AccessMark, type AttemptMark, markAccess, markLimit } from './access-rule';
import { declaredInputOf } from './declared-input';
import { MAX_EMAIL_CHARACTERS, normalizeEmail } from './email.rule';

const onHandler =
  (mark: (handler: object, name: string) => void): MethodDecorator =>
  (_target, name, descriptor) => {
    mark(descriptor.value as object, String(name));
  };

const accessMark =
  (mark: AccessMark): MethodDecorator =>
  (target, name, descriptor) =>
    markAccess(descriptor.value as object, mark, declaredInputOf(target.constructor, String(name)));

/** Only callers who hold the permission: guard and OpenAPI in one. Others get 401, or 403 when they are known. */
export const Access = (permission: Permission): MethodDecorator =>
  applyDecorators(
    accessMark({ kind: 'permission', permission }),
    ApiBearerAuth('bearer'),
    // What is a person's own no key may do.
    ...(PERSONAL_PERMISSIONS.includes(permission) ? [] : [ApiSecurity('api-key')]),
    ApiExtension('x-permission', permission),
  );

/** Anybody may call this, without a credential; the reason stands in the code for whoever reviews it. */
export const Public = (why: string): MethodDecorator => accessMark({ kind: 'public', why });

/**
 * An attempt to get in: AUTH_RATE_LIMIT_PER_MINUTE by address and by account, or by whoever is calling where that is known.
 * @param options `bucket`: routes of one are counted together; by default the handler's name, so that `login` under two
 *   addresses is one. `when`: which bodies make it such an attempt; all, unless told otherwise. `accountOf`: whom a body is
 *   about; its `email`, unless told otherwise
 */
export const AuthLimited = (options: Partial<Omit<AttemptMark, 'kind'>> = {}): MethodDecorator =>
  onHandler((handler, name) =>
    markLimit(handler, { kind: 'auth', bucket: name, when: () => true, accountOf: emailOf, ...options }),
  );

function emailOf(body: unknown): string | undefined {
  const { email } = (body ?? {}) as { email?: unknown };
  const normal = typeof email === 'string' ? normalizeEmail(email) : '';
  // What is longer is refused before anybody looks for an account.
  return normal !== '' && normal.length <= MAX_EMAIL_CHARACTERS ? normal : undefined;
}

/** Never counted (health, metrics, webhooks); the reason stands in the code. */
export const Unlimited = (why: string): MethodDecorator =>
  applyDecorators(
    onHandler((handler) => markLimit(handler, { kind: 'none', why })),
    ApiExtension('x-rate-limited', false),
  );

/** The caller, for a handler marked `@Access`. */
export const CurrentActor = createParamDecorator((_data: unknown, context: ExecutionContext): Actor => {
  const { actor } = context.switchToHttp().getRequest<FastifyRequest>().context;
  if (!actor) throw CommonErrors.authenticationFailed();
  return actor;
});

/** The person who is calling, for a handler whose permission only people hold. */
export const CurrentUser = createParamDecorator((_data: unknown, context: ExecutionContext): UserActor => {
  const { actor } = context.switchToHttp().getRequest<FastifyRequest>().context;
  if (!actor) throw CommonErrors.authenticationFailed();
  if (!isUser(actor)) throw CommonErrors.forbidden();
  return actor;
});
