#!lua
-- Purpose:   renews the fan-out lease in the middle of a batch.
-- KEYS:      1 state hash  2 outbox stream  3 index of outboxes that wait
-- ARGV:      1 node  2 now  3 lease until
-- RETURNS:   OK | LOST
-- GUARANTEE: nothing is written on LOST: another node has the lease, or has had it and is done.
if string.match(redis.call('HGET', KEYS[1], 'd') or '', '^(.*)|%d+$') ~= ARGV[1] then return 'LOST' end
redis.call('HSET', KEYS[1], 'd', ARGV[1] .. '|' .. ARGV[3])
redis.call('ZADD', KEYS[3], 'XX', ARGV[2], KEYS[2])
return 'OK'
