#!lua
-- Purpose:   renews the fan-out lease in the middle of a batch.
-- KEYS:      1 state hash  2 outbox stream  3 index of waiting outboxes
-- ARGV:      1 node  2 now  3 lease until
-- RETURNS:   OK | LOST, another node holds the lease, or the lease is free
-- GUARANTEE: LOST writes nothing.
local state, outbox, waiting = unpack(KEYS)
local node, now, lease_until = unpack(ARGV)
if string.match(redis.call('HGET', state, 'd') or '', '^(.*)|%d+$') ~= node then return 'LOST' end
redis.call('HSET', state, 'd', node .. '|' .. lease_until)
redis.call('ZADD', waiting, 'XX', now, outbox)
return 'OK'
