#!lua
-- Purpose:   records the report of a node, and removes what is kept of nodes that have not reported for long.
-- KEYS:      1 sorted set: node, by its last report  2 hash: node → report  3 hash: node → order
-- ARGV:      1 node  2 report  3 now  4 ms for which a node is kept after its last report
-- RETURNS:   the order for the node, or ''
-- GUARANTEE: all keys expire if no node reports.
local seen, reports, orders = unpack(KEYS)
local node, report, now, kept_ms = unpack(ARGV)
redis.call('ZADD', seen, now, node)
redis.call('HSET', reports, node, report)
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', seen, '-inf', now - kept_ms, 'LIMIT', 0, 100)) do
  redis.call('ZREM', seen, gone)
  redis.call('HDEL', reports, gone)
  redis.call('HDEL', orders, gone)
end
for _, key in ipairs(KEYS) do
  redis.call('PEXPIRE', key, kept_ms)
end
return redis.call('HGET', orders, node) or ''
