import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Actor, PLATFORM_TENANT_ID } from '../../common/actor';
import { isId } from '../../common/ids';
import { runInContext } from '../context/request-context';
import { AuditLog } from './audit-log';
import { NOBODY } from './audit-record';

/** Where a refused login is recorded by the feature itself, which knows more of it. */
const RECORDED_AS_LOGIN_FAILED = ['/auth/login', '/users/login'];

/**
 * Notes what was refused, whoever refused it: every 401 and 403, and the 404 of what a known caller may not see. Every
 * request of a platform administrator inside a tenant is noted in that tenant's own trail.
 */
@Injectable()
export class RefusalRecorder implements OnModuleInit {
  constructor(
    private readonly host: HttpAdapterHost,
    private readonly audit: AuditLog,
  ) {}

  onModuleInit(): void {
    const fastify = this.host.httpAdapter.getInstance<FastifyInstance>();
    fastify.addHook('onResponse', (request, reply, done) => {
      this.look(request, reply);
      done();
    });
  }

  private look(request: FastifyRequest, reply: FastifyReply): void {
    // A badly encoded address has no context.
    const context = request.context as FastifyRequest['context'] | undefined;
    if (!context) return;
    const { actor, refusal: code } = context;
    const visit = isVisit(actor);
    const refused = isRefusal(request, reply.statusCode);
    if (!visit && !refused) return;
    const resource = `${request.method} ${request.is404 ? 'unmatched' : (request.routeOptions.url ?? 'unmatched')}`;
    const metadata = { status: reply.statusCode, ...(code === undefined ? {} : { code }), ...idsOf(request) };
    // An answer's end is not always within the request's context, which says where the request came from.
    runInContext(context, () => {
      const tenantId = actor?.tenantId ?? PLATFORM_TENANT_ID;
      if (visit) this.audit.note(tenantId, actor ?? NOBODY, { action: 'PLATFORM_ACCESS', resource, metadata });
      if (refused) this.audit.note(tenantId, actor ?? NOBODY, { action: 'ACCESS_DENIED', resource, metadata });
    });
  }
}

const isVisit = (actor: Actor | undefined): boolean =>
  actor?.kind === 'platform' && actor.tenantId !== PLATFORM_TENANT_ID;

function isRefusal({ context, is404, routeOptions }: FastifyRequest, status: number): boolean {
  const { url = '' } = routeOptions;
  if (status === 403) return true;
  if (status === 401) return !RECORDED_AS_LOGIN_FAILED.includes(url);
  if (status !== 404 || is404 || !context.actor) return false;
  return url.includes('/:') || context.refusal === 'TENANT_NOT_FOUND';
}

/** Ids of the address, and nothing else of it: whatever is no id could be anything, a secret even. */
function idsOf({ params }: FastifyRequest): { ids?: Record<string, string> } {
  const ids = Object.entries((params ?? {}) as Record<string, unknown>).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && isId(entry[1]),
  );
  return ids.length === 0 ? {} : { ids: Object.fromEntries(ids) };
}
