import { setTimeout as sleep } from 'node:timers/promises';
import { type Change, type Kind, reroutings, revocations, suspensions, tell, tookOf } from './gateway-changes';
import { inPair } from './gateway-pair';
import { useWorlds } from './world';

/** From 3.5 s on each process asks by itself; the change and the look have the rest. */
const WITHOUT_REDIS_MS = 5_000;
/** All changes are looked for at once. */
const LOOK_EVERY_MS = 50;
const TEST_MS = 120_000;

useWorlds();

// With Redis it is a matter of milliseconds: test/timed/gateway-changes.spec.ts.
describe('a change that one process of the gateway makes, without Redis', () => {
  it(
    'is seen by its next request, and by another process within 5 s',
    async () => {
      await inPair(undefined, async (pair) => {
        const kinds: [Kind, Change[]][] = [
          ['a key revoked', await revocations(pair)],
          ['a route changed', await reroutings(pair)],
          ['a tenant suspended, and active again', await suspensions(pair, 5)],
        ];
        for (const [kind, changes] of kinds) {
          // A little apart, so that they meet what the other process remembers at every age.
          const took = await Promise.all(
            changes.map(async (change, n) => {
              await sleep(n * 230);
              return tookOf(change, LOOK_EVERY_MS);
            }),
          );
          expect(tell(kind, 'without Redis', took).asked.worst).toBeLessThan(WITHOUT_REDIS_MS);
        }
      });
    },
    TEST_MS,
  );
});
