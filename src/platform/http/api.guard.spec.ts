import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host';
import { type Actor, userActor } from '../../common/actor';
import { AppError } from '../../common/app-error';
import { newId } from '../../common/ids';
import { type Limits, PLANS } from '../../common/plans';
import type { Soon } from '../../common/soon';
import { type LimitMark, markAccess, markLimit } from './access-rule';
import { ApiGuard } from './api.guard';
import type { RequestLimits } from './request-limits';
import type { TenantDirectory } from './tenant-directory';

const CALLER = userActor({ id: newId(), tenantId: newId(), role: 'AUDITOR', loginId: newId() });
const ANSWERS: Limits = { ...PLANS.business };

/** What the guard asks, in the order in which it asks. */
const PARTS = ['authenticate', 'count', 'limitsOf', 'countKnown'] as const;
type Part = (typeof PARTS)[number];

/** How a part answers: at once, or later by a promise, or by something that is merely awaited. */
type Manner = <T>(answer: () => T) => Soon<T>;
const MANNERS: Record<string, Manner> = {
  'at once': (answer) => answer(),
  'by a promise': async (answer) => {
    await new Promise((resolve) => setImmediate(resolve));
    return answer();
  },
  'by what is awaited': <T>(answer: () => T) =>
    ({
      then: (done: (value: T) => void, refuse: (error: unknown) => void) =>
        void Promise.resolve().then(answer).then(done, refuse),
    }) as unknown as Promise<T>,
};

interface Question {
  manner: Manner;
  /** The part that refuses, and how; the others let it pass. */
  refusing?: Part;
  refusal?: AppError;
  caller?: Actor | null;
  limit?: LimitMark;
  permission?: 'orders:read' | 'orders:manage';
}

/** A guard whose parts answer in that manner, and what it was asked. */
function asked({ manner, refusing, refusal, caller = CALLER, limit, permission = 'orders:read' }: Question) {
  const seen: string[] = [];
  const part = <T>(name: Part, value: T): Soon<T> =>
    manner(() => {
      seen.push(name);
      if (name === refusing && refusal) throw refusal;
      return value;
    });
  const limits = {
    count: () => part('count', undefined),
    countKnown: () => part('countKnown', undefined),
    countAddress: () => Promise.resolve(void seen.push('countAddress')),
  } as unknown as RequestLimits;
  const tenants = { limitsOf: () => part('limitsOf', ANSWERS) } as unknown as TenantDirectory;
  const guard = new ApiGuard({ authenticate: () => part('authenticate', caller) }, limits, tenants);
  const handler = () => undefined;
  markAccess(handler, { kind: 'permission', permission }, { body: false, query: false });
  if (limit) markLimit(handler, limit);
  const request = { context: {} as { actor?: Actor }, headers: {}, query: {} };
  return { seen, request, answer: () => guard.canActivate(new ExecutionContextHost([request], Object, handler)) };
}

describe.each(Object.entries(MANNERS))('the guard, of which each part answers %s', (how, manner) => {
  it('lets pass who is known, within the limits and permitted, once each part has said so', async () => {
    const { seen, request, answer } = asked({ manner });
    const outcome = answer();
    if (how === 'at once') expect(outcome).toBe(true);
    expect(await outcome).toBe(true);
    expect(seen).toEqual(PARTS);
    expect(request.context.actor).toEqual(CALLER);
  });

  it.each(PARTS)('refuses where %s does, and asks nothing further', async (refusing) => {
    const refusal = new AppError('RATE_LIMITED', 'Too many requests');
    const { seen, answer } = asked({ manner, refusing, refusal });
    await expect((async () => answer())()).rejects.toBe(refusal);
    expect(seen).toEqual(PARTS.slice(0, PARTS.indexOf(refusing) + 1));
  });

  it('counts a wrong credential against its address, and refuses it', async () => {
    const refusal = new AppError('AUTHENTICATION_FAILED', 'Wrong');
    const { seen, answer } = asked({ manner, refusing: 'authenticate', refusal });
    await expect((async () => answer())()).rejects.toBe(refusal);
    expect(seen).toEqual(['authenticate', 'countAddress']);
  });

  it('refuses nobody, and whom its role does not allow it', async () => {
    const nobody = asked({ manner, caller: null });
    await expect((async () => nobody.answer())()).rejects.toMatchObject({ code: 'AUTHENTICATION_FAILED' });
    expect(nobody.seen).toEqual(['authenticate', 'count']);
    const auditor = asked({ manner, permission: 'orders:manage' });
    await expect((async () => auditor.answer())()).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});

describe('the guard', () => {
  it('lets nobody call what nobody marked', () => {
    const guard = new ApiGuard({ authenticate: () => CALLER }, {} as RequestLimits, {} as TenantDirectory);
    expect(() => guard.canActivate(new ExecutionContextHost([{}], Object, () => undefined))).toThrow(
      'Your role does not allow this',
    );
  });

  it('counts no known caller where nothing is to be counted', async () => {
    const { seen, answer } = asked({
      manner: MANNERS['by a promise'] as Manner,
      limit: { kind: 'none', why: 'a test' },
    });
    expect(await answer()).toBe(true);
    expect(seen).toEqual(['authenticate', 'count']);
  });
});
