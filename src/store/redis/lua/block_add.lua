#!lua
-- Purpose:   a user blocks another one.
-- KEYS:      1 the user's blocks: peer by when the block was used
-- ARGV:      1 peer  2 now  3 most blocks  4 unused for this long, a block goes
-- RETURNS:   OK | FULL
-- GUARANTEE: never more than ARGV 3. Idempotent.
local peer, now, most, unused = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - unused)
if not redis.call('ZSCORE', KEYS[1], peer) and redis.call('ZCARD', KEYS[1]) >= most then return 'FULL' end
redis.call('ZADD', KEYS[1], now, peer)
redis.call('PEXPIRE', KEYS[1], unused)
return 'OK'
