import type { Redis } from 'ioredis';

/**
 * Counts one hit, atomically and by Redis' own clock, so that every replica counts the same. One key, one value
 * `index:current:previous`; a hit over the limit is not counted, so that insisting does not prolong the wait.
 * Answers index, current, previous, whether it was allowed, and the time in ms.
 */
const COUNT_HIT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local index = math.floor(now / window)
local current, previous = 0, 0
local stored = redis.call('GET', KEYS[1])
if stored then
  local i, c, p = string.match(stored, '^(%d+):(%d+):(%d+)$')
  i = tonumber(i)
  if i == index then current, previous = tonumber(c), tonumber(p)
  elseif i == index - 1 then previous = tonumber(c) end
end
local used = previous * (window - (now - index * window)) / window + current
local allowed = 0
if used + 1 <= limit then
  allowed = 1
  current = current + 1
  redis.call('SET', KEYS[1], string.format('%d:%d:%d', index, current, previous), 'PX', 2 * window)
end
return { index, current, previous, allowed, now }
`;

/** For the connection that the limiter uses. */
export const RATE_LIMIT_SCRIPTS = { countHit: { lua: COUNT_HIT, numberOfKeys: 1 } };

/** The reply of the script, in its order. */
export type CountHitReply = [index: number, current: number, previous: number, allowed: number, nowMs: number];

/** A connection that knows the script. */
export type LimiterRedis = Redis & { countHit(key: string, limit: number, windowMs: number): Promise<CountHitReply> };
