#!lua
-- Purpose:   writes the next state of an aggregate, with what it leaves to be done, if the expected commit still stands.
-- KEYS:      1 state hash  2 outbox stream  3 timers of the partition  4 pending index of the partition
-- ARGV:      1 expected version:tag or ''  2 version  3 tag  4 state  5 items or ''  6 deadline or ''  7 expire in ms or ''
--            8 now  9 member
-- RETURNS:   {OK, older entries of the outbox} | {CONFLICT, version:tag, state, outbox} | {CONFLICT}, it does not exist
-- GUARANTEE: nothing is written on CONFLICT. A state with an outbox never expires: field x waits for outbox_settle.
local stamp, state, old = unpack(redis.call('HMGET', KEYS[1], 'v', 's', 'x'))
local older = redis.call('XRANGE', KEYS[2], '-', '+')
if (stamp or '') ~= ARGV[1] then
  if not stamp then return {'CONFLICT'} end
  return {'CONFLICT', stamp, state, older}
end
redis.call('HSET', KEYS[1], 'v', ARGV[2] .. ':' .. ARGV[3], 's', ARGV[4], 'x', ARGV[7])
if ARGV[5] ~= '' then
  redis.call('XADD', KEYS[2], ARGV[2] .. '-0', 'i', ARGV[5], 'c', ARGV[8], 't', ARGV[3])
  redis.call('ZADD', KEYS[4], 'NX', ARGV[8], ARGV[9])
end
if ARGV[6] ~= '' then
  redis.call('ZADD', KEYS[3], ARGV[6], ARGV[9])
elseif stamp then
  redis.call('ZREM', KEYS[3], ARGV[9])
end
if ARGV[7] ~= '' and ARGV[5] == '' and #older == 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[7])
elseif old and old ~= '' then
  redis.call('PERSIST', KEYS[1])
end
return {'OK', older}
