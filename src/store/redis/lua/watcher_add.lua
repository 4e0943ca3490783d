#!lua
-- Purpose:   adds a device to those that watch a user, or renews it.
-- KEYS:      1 the user's watchers: user/device → when it was known to watch
-- ARGV:      1 user/device  2 now  3 most watchers  4 ttl
-- RETURNS:   OK | FULL
-- GUARANTEE: never more than ARGV 3, and never without an end. Nothing is written on FULL.
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[3]) then return 'FULL' end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 'OK'
