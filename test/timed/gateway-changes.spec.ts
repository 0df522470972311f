import {
  type Change,
  CHANGES,
  type Kind,
  reroutings,
  revocations,
  suspensions,
  tell,
  tookOf,
} from '../faults/gateway-changes';
import { inPair } from '../faults/gateway-pair';
import { endWithWorlds, useWorlds } from '../faults/world';
import { startRedis } from '../support/redis';

/** What is promised of another process that shares the Redis, from the answer to the change on. */
const PROMISED_MS = 100;
/** Of any one of them, from before it was asked for: the processes, the database and this test share two cores. */
const WORST_MS = 2_000;
const TEST_MS = 120_000;

useWorlds();

describe('a change that one process of the gateway makes', () => {
  it(
    `is seen by its next request, and by another that shares the Redis within ${PROMISED_MS} ms`,
    async () => {
      const redis = await startRedis();
      endWithWorlds(() => redis.stop());
      await inPair(redis, async (pair) => {
        const kinds: [Kind, Change[]][] = [
          ['a key revoked', await revocations(pair)],
          ['a route changed', await reroutings(pair)],
          ['a tenant suspended, and active again', await suspensions(pair, 1)],
        ];
        for (const [kind, changes] of kinds) {
          const took = [];
          for (const change of changes) took.push(await tookOf(change, 0));
          expect(took).toHaveLength(CHANGES);
          const { answered, asked } = tell(kind, 'with Redis', took);
          expect([kind, answered.median < PROMISED_MS, asked.worst < WORST_MS]).toEqual([kind, true, true]);
        }
      });
    },
    TEST_MS,
  );
});
