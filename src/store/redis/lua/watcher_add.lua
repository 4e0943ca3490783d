#!lua
-- Purpose:   adds a device to those that watch a user, or renews it.
-- KEYS:      1 the user's watchers: user/device by when it was known to watch
-- ARGV:      1 user/device  2 now  3 most watchers  4 ttl
-- RETURNS:   OK | FULL
-- GUARANTEE: never more than ARGV 3, and never without an end. Nothing is changed on FULL.
local watchers = KEYS[1]
local watcher, now, most, ttl = unpack(ARGV)
if redis.call('ZADD', watchers, now, watcher) == 1 and redis.call('ZCARD', watchers) > tonumber(most) then
  redis.call('ZREM', watchers, watcher)
  return 'FULL'
end
redis.call('PEXPIRE', watchers, ttl)
return 'OK'
