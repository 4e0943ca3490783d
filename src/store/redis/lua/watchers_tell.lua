#!lua
-- Purpose:   drops what all who watch a user were told, and hands out what comes next with a piece of those who watch.
-- KEYS:      1 state hash  2 outbox stream  3 pending index of the partition  4 watchers: user/device by when it was known to watch
-- ARGV:      1 node  2 version:tag of the newest entry that all were told, or ''  3 most entries  4 cursor of the piece  5 about so many watchers  6 now
--            7 teller until  8 member
-- RETURNS:   {ENTRIES, entries, cursor of the next piece or '0', watchers and instants in turn} | {IDLE} | {BUSY}
-- GUARANTEE: one teller at a time; nothing is written on BUSY. On IDLE nothing waits and nobody tells. A state that is over begins
-- to expire with the last entry.
-- include outbox
local expire, held = unpack(redis.call('HMGET', KEYS[1], 'x', 'd'))
local teller, till = string.match(held or '', '^(.*)|(%d+)$')
if teller and teller ~= ARGV[1] and tonumber(till) > tonumber(ARGV[6]) then return {'BUSY'} end
dropUpTo(KEYS[2], ARGV[2])
local entries = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', ARGV[3])
if #entries > 0 then
  redis.call('HSET', KEYS[1], 'd', ARGV[1] .. '|' .. ARGV[7])
  -- Whoever tells has it in hand: it is forgotten only if nothing is heard of it from now on.
  redis.call('ZADD', KEYS[3], 'XX', ARGV[6], ARGV[8])
  local found = redis.call('ZSCAN', KEYS[4], ARGV[4], 'COUNT', ARGV[5])
  return {'ENTRIES', entries, found[1], found[2]}
end
redis.call('HDEL', KEYS[1], 'd')
-- Only who drops the last entry starts the time: asking again does not start it anew.
if redis.call('DEL', KEYS[2]) == 0 then return {'IDLE'} end
redis.call('ZREM', KEYS[3], ARGV[8])
if expire and expire ~= '' then redis.call('PEXPIRE', KEYS[1], expire) end
return {'IDLE'}
