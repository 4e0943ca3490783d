#!lua
-- Purpose:   records the heartbeat of a node, and removes nodes whose heartbeat has lapsed.
-- KEYS:      1 sorted set: live node, by its last heartbeat
-- ARGV:      1 node  2 now  3 ms for which a heartbeat counts
-- RETURNS:   the live nodes, this one included
-- GUARANTEE: a heartbeat in the future, made before the clock was set back, is removed after the same time.
local nodes = KEYS[1]
local node, now, alive_ms = unpack(ARGV)
redis.call('ZADD', nodes, now, node)
redis.call('ZREMRANGEBYSCORE', nodes, '-inf', now - alive_ms)
redis.call('ZREMRANGEBYSCORE', nodes, now + alive_ms, '+inf')
redis.call('PEXPIRE', nodes, 2 * alive_ms)
return redis.call('ZRANGE', nodes, 0, -1)
