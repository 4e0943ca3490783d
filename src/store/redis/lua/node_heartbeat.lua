#!lua
-- Purpose:   notes that a node is alive, forgets those that are not, and says which are.
-- KEYS:      1 live nodes by when each was last seen
-- ARGV:      1 node  2 now  3 how long a node counts as alive
-- RETURNS:   the nodes
-- GUARANTEE: the caller is one of them. A time in the future, from before the clock was set back, counts for no longer.
local now, lives = tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - lives)
redis.call('ZREMRANGEBYSCORE', KEYS[1], now + lives, '+inf')
redis.call('PEXPIRE', KEYS[1], 2 * lives)
return redis.call('ZRANGE', KEYS[1], 0, -1)
