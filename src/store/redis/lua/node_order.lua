#!lua
-- Purpose:   keeps an operator's order for a node.
-- KEYS:      1 sorted set: node, by its last report  2 hash: node → order
-- ARGV:      1 node  2 order  3 a node that reported after this lives
-- RETURNS:   OK | NONE, no live node has this name
-- GUARANTEE: NONE writes nothing. The next report of the node renews the expiry of the order.
local seen, orders = unpack(KEYS)
local node, order, alive_since = unpack(ARGV)
local seen_at = redis.call('ZSCORE', seen, node)
if not seen_at or tonumber(seen_at) <= tonumber(alive_since) then return 'NONE' end
redis.call('HSET', orders, node, order)
redis.call('PEXPIRE', orders, redis.call('PTTL', seen))
return 'OK'
