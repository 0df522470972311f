import { userActor } from '../../common/actor';
import { newId } from '../../common/ids';
import { EventBus } from '../../platform/events/domain-events';
import { LiveLogins } from './live-logins';
import type { LiveUser, LoginRef, LoginsRepository } from './logins.repository';

const ref: LoginRef = { tenantId: newId(), loginId: newId() };
const user: LiveUser = { userId: newId(), role: 'AGENT' };

/** Answers when told to: nothing but the order of things is tested here, the statement has its test with the database. */
function gatedRepository() {
  const asked: { answer: (user: LiveUser | null) => void; fail: (error: Error) => void }[] = [];
  const repository = {
    findLive: () => new Promise((resolve, reject) => asked.push({ answer: resolve, fail: reject })),
  } as unknown as LoginsRepository;
  const events = new EventBus();
  return { logins: new LiveLogins(repository, events), asked, events };
}

describe('LiveLogins', () => {
  it('asks once for all who want to know at the same time, and remembers the answer', async () => {
    const { logins, asked } = gatedRepository();
    const both = [logins.actorOf(ref), logins.actorOf(ref)];
    asked[0]?.answer(user);
    const actor = userActor({ id: user.userId, tenantId: ref.tenantId, role: 'AGENT', loginId: ref.loginId });
    for (const one of both) expect(await one).toEqual(actor);
    expect(await logins.actorOf(ref)).toEqual(actor);
    expect(asked).toHaveLength(1);
  });

  it('remembers that a login is dead', async () => {
    const { logins, asked } = gatedRepository();
    const first = logins.actorOf(ref);
    asked[0]?.answer(null);
    expect(await first).toBeNull();
    expect(await logins.actorOf(ref)).toBeNull();
    expect(asked).toHaveLength(1);
  });

  it('does not keep an answer that was on its way when the login was ended', async () => {
    const { logins, asked } = gatedRepository();
    const before = logins.actorOf(ref);
    logins.forget(ref);
    const after = logins.actorOf(ref);
    asked[1]?.answer(null);
    expect(await after).toBeNull();
    asked[0]?.answer(user);
    await before;
    expect(await logins.actorOf(ref)).toBeNull();
    expect(asked).toHaveLength(2);
  });

  it('asks again after a failure', async () => {
    const { logins, asked } = gatedRepository();
    const first = logins.actorOf(ref);
    asked[0]?.fail(new Error('away'));
    await expect(first).rejects.toThrow('away');
    const second = logins.actorOf(ref);
    asked[1]?.answer(user);
    expect(await second).toMatchObject({ id: user.userId });
  });

  const other: LoginRef = { tenantId: ref.tenantId, loginId: newId() };
  const foreign: LoginRef = { tenantId: newId(), loginId: newId() };

  /** Asks for all three, each of another user, and answers. */
  async function allKnown() {
    const { logins, asked, events } = gatedRepository();
    const all = [logins.actorOf(ref), logins.actorOf(other), logins.actorOf(foreign)];
    asked[0]?.answer(user);
    for (const one of asked.slice(1)) one.answer({ userId: newId(), role: 'AGENT' });
    for (const one of all) await one;
    const askedAgain = (one: LoginRef): boolean => {
      const before = asked.length;
      void logins.actorOf(one);
      return asked.length > before;
    };
    return { events, askedAgain };
  }

  it.each(['user.changed', 'user.ended'] as const)(
    'forgets the logins of a user, and of no other, at %s',
    async (name) => {
      const { events, askedAgain } = await allKnown();
      events.committed(name, { tenantId: ref.tenantId, userId: user.userId });
      expect([ref, other, foreign].map(askedAgain)).toEqual([true, false, false]);
    },
  );

  it('forgets the logins of a tenant, and of no other, at tenant.changed', async () => {
    const { events, askedAgain } = await allKnown();
    events.committed('tenant.changed', { tenantId: ref.tenantId });
    expect([ref, other, foreign].map(askedAgain)).toEqual([true, true, false]);
  });

  it('does not keep an answer that was on its way when the user was changed', async () => {
    const { logins, asked, events } = gatedRepository();
    const before = logins.actorOf(ref);
    events.committed('user.changed', { tenantId: ref.tenantId, userId: user.userId });
    asked[0]?.answer(user);
    await before;
    void logins.actorOf(ref);
    expect(asked).toHaveLength(2);
  });
});
