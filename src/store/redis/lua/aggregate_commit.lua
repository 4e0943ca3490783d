#!lua
-- Purpose:   writes the next version of an aggregate, with what it leaves to be done, if the expected one still stands.
-- KEYS:      1 state hash  2 outbox stream  3 timers of the partition  4 pending index of the partition
-- ARGV:      1 expected version  2 state  3 items or ''  4 deadline or ''  5 expire in ms or ''  6 now  7 member  8 tag
-- RETURNS:   {OK, older entries of the outbox} | {CONFLICT, version, state, outbox} (version 0: it does not exist)
-- GUARANTEE: nothing is written on CONFLICT. A state with an outbox never expires: field x waits for outbox_settle.
local version, state, old = unpack(redis.call('HMGET', KEYS[1], 'v', 's', 'x'))
local expected = tonumber(ARGV[1])
if tonumber(version or 0) ~= expected then
  if not version then return {'CONFLICT', 0} end
  return {'CONFLICT', tonumber(version), state, redis.call('XRANGE', KEYS[2], '-', '+')}
end
local older = redis.call('XRANGE', KEYS[2], '-', '+')
redis.call('HSET', KEYS[1], 'v', expected + 1, 's', ARGV[2], 'x', ARGV[5])
if ARGV[3] ~= '' then
  redis.call('XADD', KEYS[2], (expected + 1) .. '-0', 'i', ARGV[3], 'c', ARGV[6], 't', ARGV[8])
  redis.call('ZADD', KEYS[4], 'NX', ARGV[6], ARGV[7])
end
if ARGV[4] ~= '' then
  redis.call('ZADD', KEYS[3], ARGV[4], ARGV[7])
elseif version then
  redis.call('ZREM', KEYS[3], ARGV[7])
end
if ARGV[5] ~= '' and ARGV[3] == '' and #older == 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
elseif old and old ~= '' then
  redis.call('PERSIST', KEYS[1])
end
return {'OK', older}
