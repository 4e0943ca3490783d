#!lua
-- Purpose:   adds a device to those that watch a user, or renews it.
-- KEYS:      1 the user's watchers: user/device by when it was known to watch
-- ARGV:      1 user/device  2 now  3 most watchers  4 ttl
-- RETURNS:   OK | FULL
-- GUARANTEE: never more than ARGV 3, and never without an end. Nothing is changed on FULL.
if redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1]) == 1 and redis.call('ZCARD', KEYS[1]) > tonumber(ARGV[3]) then
  redis.call('ZREM', KEYS[1], ARGV[1])
  return 'FULL'
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 'OK'
