import type { Redis } from 'ioredis';

/** Part of what is still free that all processes together may hold without having spent it… */
const HELD_OF_FREE = 0.01;
/** … or of the limit, where that is more: a process under load needs some ahead also when little is free. */
const HELD_OF_LIMIT = 0.0025;
/** Who has not been heard of for so long is no process any more. */
export const PROCESS_COUNTS_MS = 10_000;

/**
 * Hands out turns of many limits in one call, by Redis' own clock. A limit is one value `index:current:previous`, as the
 * platform's limiter has it: what is handed out counts as used, what is given back no longer does. A value of another kind
 * is nobody's, and is written over: it must not refuse the others of the call.
 * Processes that count requests lately share what is to be shared; the others are known too, for they may have to begin where
 * Redis is away.
 * KEYS the processes, those that count requests lately, then a limit each. ARGV the process, the window in ms, 1 if it counts requests
 * lately, then of each limit: the limit, turns that were taken without asking, turns given back and the window that they were of,
 * turns wanted by somebody who waits, turns wanted ahead.
 * Answers the time in ms, the number of processes that this one shares with (of those that count requests lately if it is one of them, else of all),
 * the index of the window, then of each limit: current, previous, turns handed out.
 */
const HAND_OUT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local counts = ARGV[3] == '1'
for i = 1, 2 do
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now - ${PROCESS_COUNTS_MS})
  if i == 1 or counts then redis.call('ZADD', KEYS[i], now, ARGV[1]) else redis.call('ZREM', KEYS[i], ARGV[1]) end
  redis.call('PEXPIRE', KEYS[i], ${PROCESS_COUNTS_MS})
end
local processes = redis.call('ZCARD', counts and KEYS[2] or KEYS[1])
local window = tonumber(ARGV[2])
local index = math.floor(now / window)
local answer = { now, processes, index }
for i = 3, #KEYS do
  local at = 4 + (i - 3) * 6
  local limit, spent, back = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local backIndex, need, ahead = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5])
  local current, previous = 0, 0
  local stored = redis.pcall('GET', KEYS[i])
  if type(stored) == 'string' then
    local n, c, p = string.match(stored, '^(%d+):(%d+):(%d+)$')
    n = tonumber(n)
    if n == index then current, previous = tonumber(c), tonumber(p)
    elseif n == index - 1 then previous = tonumber(c) end
  end
  if backIndex == index then current = math.max(0, current - back)
  elseif backIndex == index - 1 then previous = math.max(0, previous - back) end
  current = current + spent
  local free = math.max(0, math.floor(limit - current - previous * (window - (now - index * window)) / window))
  local granted = math.min(need, free)
  free = free - granted
  local held = math.max(free * ${HELD_OF_FREE}, limit * ${HELD_OF_LIMIT})
  granted = granted + math.min(ahead, math.floor(held / processes), math.floor(free / processes))
  current = current + granted
  redis.call('SET', KEYS[i], string.format('%d:%d:%d', index, current, previous), 'PX', 2 * window)
  answer[#answer + 1] = current
  answer[#answer + 1] = previous
  answer[#answer + 1] = granted
end
return answer
`;

/** KEYS the processes, and those that count requests lately; ARGV the one that goes. */
const LEAVE = `
for i = 1, 2 do redis.call('ZREM', KEYS[i], ARGV[1]) end
return 1
`;

/** For the connection of the gateway. */
export const LIMIT_SCRIPTS = { handOut: { lua: HAND_OUT }, leaveLimits: { lua: LEAVE, numberOfKeys: 2 } };

/** A connection that knows the scripts. */
export type HandOutRedis = Redis & {
  handOut(numberOfKeys: number, ...rest: (string | number)[]): Promise<number[]>;
  leaveLimits(processes: string, counting: string, processId: string): Promise<number>;
};
