#!lua
-- Purpose:   commits an aggregate and writes its mail or log to the outbox: on a Cluster, for a fan-out log, and for mail that is held back.
-- KEYS:      1 state hash  2 outbox stream  3 index of timers  4 index of waiting outboxes
-- ARGV:      1 expected version:tag or ''  2 version  3 tag  4 state  5 outbox item or ''  6 deadline or ''  7 expire in ms or ''  8 now
--            9… webhook events, see webhooks
-- RETURNS:   {OK, older entries of the outbox, webhook events that were refused} | {CONFLICT, version:tag, state, outbox entries} | {CONFLICT}, the aggregate does not exist
-- GUARANTEE: CONFLICT writes nothing. A state with outbox entries does not expire: field x keeps the expiry for outbox_settle.
-- include webhook_counts
-- include webhooks
local key, outbox, timers, waiting = unpack(KEYS)
local expected, version, tag, state, item, deadline, expire_in, now = unpack(ARGV, 1, 8)
local current, current_state, expire_before = unpack(redis.call('HMGET', key, 'v', 's', 'x'))
local older = redis.call('XRANGE', outbox, '-', '+')
if (current or '') ~= expected then
  if not current then return {'CONFLICT'} end
  return {'CONFLICT', current, current_state, older}
end
local webhooks = readWebhooks(9)
redis.call('HSET', key, 'v', version .. ':' .. tag, 's', state, 'x', expire_in)
if item ~= '' then
  redis.call('XADD', outbox, version .. '-0', 'i', item, 'c', now, 't', tag)
  redis.call('ZADD', waiting, 'NX', now, outbox)
end
if deadline ~= '' then redis.call('ZADD', timers, deadline, key)
elseif current then redis.call('ZREM', timers, key) end
if expire_in ~= '' and item == '' and #older == 0 then redis.call('PEXPIRE', key, expire_in)
elseif expire_before and expire_before ~= '' then redis.call('PERSIST', key) end
return {'OK', older, queueWebhooks(webhooks, version .. ':' .. tag)}
