#!lua
-- Purpose:   adds a user to those that another user blocks.
-- KEYS:      1 sorted set: blocked user, by the last use of the block
-- ARGV:      1 user to block  2 now  3 most blocks  4 ms after which an unused block expires
-- RETURNS:   OK | FULL, and no block is added
-- GUARANTEE: never more than ARGV 3 blocks. Idempotent.
local blocks = KEYS[1]
local peer, now, blocks_max, unused_ms = unpack(ARGV)
redis.call('ZREMRANGEBYSCORE', blocks, '-inf', now - unused_ms)
if not redis.call('ZSCORE', blocks, peer) and redis.call('ZCARD', blocks) >= tonumber(blocks_max) then return 'FULL' end
redis.call('ZADD', blocks, now, peer)
redis.call('PEXPIRE', blocks, unused_ms)
return 'OK'
