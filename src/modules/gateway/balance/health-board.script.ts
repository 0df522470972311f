import type { Redis } from 'ioredis';

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** KEYS a board of each tenant; ARGV the process, how long its words count, and what it has to say on each. Redis' own clock dates it. */
const TELL = `${NOW}
for i = 1, #KEYS do
  redis.call('HSET', KEYS[i], ARGV[1], string.format('%d:%s', now, ARGV[i + 2]))
  redis.call('PEXPIRE', KEYS[i], ARGV[2])
end
return 1
`;

/** KEYS a board; ARGV for how long words count, then processes. Answers what these have said on it, and removes what no longer counts. */
const ASK = `${NOW}
local said = {}
for i = 2, #ARGV do
  local at, text = string.match(redis.call('HGET', KEYS[1], ARGV[i]) or '', '^(%d+):(.*)$')
  if at and now - at <= tonumber(ARGV[1]) then
    said[#said + 1] = text
  else
    redis.call('HDEL', KEYS[1], ARGV[i])
  end
end
return said
`;

/** For the connection of the board. */
export const HEALTH_BOARD_SCRIPTS = { healthTell: { lua: TELL }, healthAsk: { lua: ASK, numberOfKeys: 1 } };

/** A connection that knows the scripts. */
export type BoardRedis = Redis & {
  healthTell(numberOfKeys: number, ...rest: (string | number)[]): Promise<number>;
  healthAsk(board: string, countsMs: number, ...processes: string[]): Promise<string[]>;
};
