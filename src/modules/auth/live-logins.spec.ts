import { userActor } from '../../common/actor';
import { newId } from '../../common/ids';
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
  return { logins: new LiveLogins(repository), asked };
}

describe('LiveLogins', () => {
  it('asks once for all who want to know at the same time, and remembers the answer', async () => {
    const { logins, asked } = gatedRepository();
    const both = [logins.actorOf(ref), logins.actorOf(ref)];
    asked[0]?.answer(user);
    const actor = userActor({ id: user.userId, tenantId: ref.tenantId, role: 'AGENT', loginId: ref.loginId });
    expect(await Promise.all(both)).toEqual([actor, actor]);
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
});
