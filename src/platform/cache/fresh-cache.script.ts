import type { Redis } from 'ioredis';

// Each key of the cache has three in Redis: the value, its generation, and those who are changing it, by when they count as
// dead. Whoever begins to change takes value and generation away; none is made anew before all who change have ended. So a
// value is kept only if nobody has begun to change it since the reader got its ticket.

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** KEYS generation, writers; ARGV a new generation, its time to live. Answers the generation; '' while somebody writes. */
const TICKET = `${NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
if redis.call('EXISTS', KEYS[2]) == 1 then return '' end
redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
return redis.call('GET', KEYS[1])
`;

/** KEYS value, generation, epoch; ARGV the text, its time to live, the generation and the epoch that it belongs to. */
const KEEP = `
if redis.call('GET', KEYS[2]) ~= ARGV[3] or redis.call('GET', KEYS[3]) ~= ARGV[4] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`;

/** KEYS value, generation, writers of each; ARGV who writes, and for how long it is waited for. */
const BEGIN = `${NOW}
for i = 1, #KEYS, 3 do
  redis.call('DEL', KEYS[i], KEYS[i + 1])
  redis.call('ZADD', KEYS[i + 2], now + ARGV[2], ARGV[1])
  redis.call('PEXPIRE', KEYS[i + 2], ARGV[2])
end
return 1
`;

/** KEYS value, generation, writers of each; ARGV who wrote. */
const END = `
for i = 1, #KEYS, 3 do
  redis.call('DEL', KEYS[i], KEYS[i + 1])
  redis.call('ZREM', KEYS[i + 2], ARGV[1])
end
return 1
`;

/** For the connection of the cache. Those without a number of keys are told it with each call. */
export const FRESH_CACHE_SCRIPTS = {
  freshTicket: { lua: TICKET, numberOfKeys: 2 },
  freshKeep: { lua: KEEP, numberOfKeys: 3 },
  freshBegin: { lua: BEGIN },
  freshEnd: { lua: END },
};

/** A connection that knows the scripts. */
export type FreshRedis = Redis & {
  freshTicket(generation: string, writers: string, fresh: string, ttlMs: number): Promise<string>;
  freshKeep(value: string, generation: string, epoch: string, ...rest: (string | number)[]): Promise<number>;
  freshBegin(numberOfKeys: number, ...rest: (string | number)[]): Promise<number>;
  freshEnd(numberOfKeys: number, ...rest: (string | number)[]): Promise<number>;
};
