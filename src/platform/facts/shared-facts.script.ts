import type { Redis } from 'ioredis';

// A fact has two keys in Redis: its value, and the lease of the process that is reading it anew. What it is about (a tenant's
// access, its routes) has two more: its generation, and those who are changing it, by when they count as dead. `changes` is
// made new by whoever begins or ends a change of anything. All that a fact needs in order to count has to be there: what
// Redis lost or evicted makes facts void, never valid.

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/**
 * KEYS value, lease, changes, epoch; ARGV who asks, a time to live for `changes`, one for the lease, a value that is known to
 * be void, and how much time a value must have left. Answers value, `changes` and epoch ('' for none), the time, and whether
 * who asks is to read it anew.
 */
const LOOK = `${NOW}
local value = redis.call('GET', KEYS[1])
redis.call('SET', KEYS[3], ARGV[1], 'NX', 'PX', ARGV[2])
local leased = 0
if not value or value == ARGV[4] or redis.call('PTTL', KEYS[1]) < tonumber(ARGV[5]) then
  if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[3]) then leased = 1 end
end
return {value or '', redis.call('GET', KEYS[3]), redis.call('GET', KEYS[4]) or '', now, leased}
`;

const RELEASE = `
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
`;

/**
 * KEYS value, lease, changes, epoch, generation, writers; ARGV who read it, `changes` and epoch and the time of before it was
 * read, its time to live from then on, a time to live for the generation, and the text. Ends the lease; keeps the text unless
 * anything has been changed since, or somebody is changing what it is about.
 */
const KEEP = `${NOW}${RELEASE}
if redis.call('GET', KEYS[3]) ~= ARGV[2] or redis.call('GET', KEYS[4]) ~= ARGV[3] then return 0 end
redis.call('ZREMRANGEBYSCORE', KEYS[6], '-inf', now)
local left = ARGV[4] + ARGV[5] - now
if left <= 0 or left > tonumber(ARGV[5]) or redis.call('EXISTS', KEYS[6]) == 1 then return 0 end
redis.call('SET', KEYS[5], ARGV[1], 'NX', 'PX', ARGV[6])
redis.call('SET', KEYS[1], ARGV[3] .. ' ' .. redis.call('GET', KEYS[5]) .. ' ' .. ARGV[7], 'PX', left)
return 1
`;

/** KEYS changes, generation, writers; ARGV who writes, and for how long it is waited for. */
const BEGIN = `${NOW}
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('DEL', KEYS[2])
redis.call('ZADD', KEYS[3], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[3], ARGV[2])
return 1
`;

/** KEYS changes, generation, writers; ARGV who wrote, a time to live for `changes`, and its new value. */
const END = `
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[2])
redis.call('DEL', KEYS[2])
redis.call('ZREM', KEYS[3], ARGV[1])
return 1
`;

/** For the connection of the cache. */
export const SHARED_FACTS_SCRIPTS = {
  factLook: { lua: LOOK, numberOfKeys: 4 },
  factKeep: { lua: KEEP, numberOfKeys: 6 },
  factRelease: { lua: `${RELEASE}\nreturn 1`, numberOfKeys: 2 },
  factsBegin: { lua: BEGIN, numberOfKeys: 3 },
  factsEnd: { lua: END, numberOfKeys: 3 },
};

type Words = (string | number)[];

/** A connection that knows the scripts. */
export type FactsRedis = Redis & {
  factLook(...words: Words): Promise<[value: string, changes: string, epoch: string, nowMs: number, leased: number]>;
  factKeep(...words: Words): Promise<number>;
  factRelease(...words: Words): Promise<number>;
  factsBegin(...words: Words): Promise<number>;
  factsEnd(...words: Words): Promise<number>;
};
