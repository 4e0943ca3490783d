#!lua
-- Purpose:   drops the outbox entries that have been dispatched; an aggregate that is over begins to expire with the last one.
-- KEYS:      1 outbox stream  2 index of outboxes that wait  3 state hash
-- ARGV:      1 version:tag of the newest entry that has been dispatched
-- RETURNS:   WAITING | SETTLED
-- GUARANTEE: newer entries stay, and all do if the entry is not the one that was dispatched. Idempotent.
-- include outbox
dropUpTo(KEYS[1], ARGV[1])
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
if first then
  redis.call('ZADD', KEYS[2], 'XX', first[2][4], KEYS[1])
  return 'WAITING'
end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], KEYS[1])
local expire = redis.call('HGET', KEYS[3], 'x')
if expire and expire ~= '' then redis.call('PEXPIRE', KEYS[3], expire) end
return 'SETTLED'
