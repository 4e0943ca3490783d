#!lua
-- Purpose:   a user blocks another one.
-- KEYS:      1 the user's blocks: peer by when the block was used
-- ARGV:      1 peer  2 now  3 most blocks  4 unused for this long, a block goes
-- RETURNS:   OK | FULL
-- GUARANTEE: never more than ARGV 3. Idempotent.
local blocks = KEYS[1]
local peer, now, most, unused_for = unpack(ARGV)
redis.call('ZREMRANGEBYSCORE', blocks, '-inf', now - unused_for)
if not redis.call('ZSCORE', blocks, peer) and redis.call('ZCARD', blocks) >= tonumber(most) then return 'FULL' end
redis.call('ZADD', blocks, now, peer)
redis.call('PEXPIRE', blocks, unused_for)
return 'OK'
