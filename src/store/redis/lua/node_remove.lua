#!lua
-- Purpose:   removes a node that has ended.
-- KEYS:      1 sorted set: node, by its last report  2 hash: node → report  3 hash: node → order
-- ARGV:      1 node
-- RETURNS:   OK
-- GUARANTEE: idempotent.
local seen, reports, orders = unpack(KEYS)
local node = ARGV[1]
redis.call('ZREM', seen, node)
redis.call('HDEL', reports, node)
redis.call('HDEL', orders, node)
return 'OK'
