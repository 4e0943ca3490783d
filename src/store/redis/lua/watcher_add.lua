#!lua
-- Purpose:   adds or renews a watcher of a user.
-- KEYS:      1 sorted set: watcher, by when it was last known to watch
-- ARGV:      1 watcher  2 now  3 most watchers  4 TTL in ms
-- RETURNS:   OK | FULL, that many others watch
-- GUARANTEE: FULL changes nothing. The key has a TTL.
local watchers = KEYS[1]
local watcher, now, watchers_max, ttl = unpack(ARGV)
if redis.call('ZADD', watchers, now, watcher) == 1 and redis.call('ZCARD', watchers) > tonumber(watchers_max) then
  redis.call('ZREM', watchers, watcher)
  return 'FULL'
end
redis.call('PEXPIRE', watchers, ttl)
return 'OK'
