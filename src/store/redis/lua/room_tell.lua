#!lua
-- Purpose:   drops the outbox entries that have been told and hands out the next ones, to one teller at a time.
-- KEYS:      1 state hash  2 outbox stream  3 pending index of the partition  4 seats hash  5 log stream  6 hash of its ids
-- ARGV:      1 node  2 version:tag of the newest entry that was told, or ''  3 limit  4 now  5 teller until  6 member
-- RETURNS:   {ENTRIES, entries, seats} | {IDLE} | {BUSY}
-- GUARANTEE: nothing is written on BUSY. On IDLE nothing waits and nobody tells: the next commit finds a teller. A room that
-- is over begins to expire, as a whole, with the last entry.
-- include outbox
local expire, held = unpack(redis.call('HMGET', KEYS[1], 'x', 'd'))
local teller, till = string.match(held or '', '^(.*)|(%d+)$')
if teller and teller ~= ARGV[1] and tonumber(till) > tonumber(ARGV[4]) then return {'BUSY'} end
dropUpTo(KEYS[2], ARGV[2])
local entries = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', ARGV[3])
if #entries > 0 then
  redis.call('HSET', KEYS[1], 'd', ARGV[1] .. '|' .. ARGV[5])
  -- Whoever tells has it in hand: it is forgotten only if nothing is heard of it from now on.
  redis.call('ZADD', KEYS[3], 'XX', ARGV[4], ARGV[6])
  return {'ENTRIES', entries, redis.call('HGETALL', KEYS[4])}
end
redis.call('HDEL', KEYS[1], 'd')
-- Only who drops the last entry starts the time: asking again does not start it anew.
if redis.call('DEL', KEYS[2]) == 0 then return {'IDLE'} end
redis.call('ZREM', KEYS[3], ARGV[6])
if expire and expire ~= '' then
  for _, key in ipairs({KEYS[1], KEYS[4], KEYS[5], KEYS[6]}) do redis.call('PEXPIRE', key, expire) end
end
return {'IDLE'}
