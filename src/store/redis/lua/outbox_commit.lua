#!lua
-- Purpose:   writes the next state of an aggregate if the expected commit still stands, and keeps what the commit says in the outbox: on a
--            Cluster, for a fan-out log, and for mail that is held back.
-- KEYS:      1 state hash  2 outbox stream  3 index of timers  4 index of outboxes that wait
-- ARGV:      expected version:tag or ''  version  tag  state  item for the outbox or ''  deadline or ''  expire in ms or ''  now
-- RETURNS:   {OK, older entries of the outbox} | {CONFLICT, version:tag, state, outbox} | {CONFLICT}, it does not exist
-- GUARANTEE: nothing is written on CONFLICT. A state with an outbox never expires: field x waits for outbox_settle.
local key, outbox, timers, pending = unpack(KEYS)
local expected, version, tag, state, item, deadline, expire, now = unpack(ARGV)
local found, current, old = unpack(redis.call('HMGET', key, 'v', 's', 'x'))
local older = redis.call('XRANGE', outbox, '-', '+')
if (found or '') ~= expected then
  if not found then return {'CONFLICT'} end
  return {'CONFLICT', found, current, older}
end
redis.call('HSET', key, 'v', version .. ':' .. tag, 's', state, 'x', expire)
if item ~= '' then
  redis.call('XADD', outbox, version .. '-0', 'i', item, 'c', now, 't', tag)
  redis.call('ZADD', pending, 'NX', now, outbox)
end
if deadline ~= '' then redis.call('ZADD', timers, deadline, key)
elseif found then redis.call('ZREM', timers, key) end
if expire ~= '' and item == '' and #older == 0 then redis.call('PEXPIRE', key, expire)
elseif old and old ~= '' then redis.call('PERSIST', key) end
return {'OK', older}
