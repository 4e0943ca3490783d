#!lua
-- Purpose:   keeps a dead letter.
-- KEYS:      1 hash: id of a letter → letter  2 sorted set: id of a letter, by when it was added
-- ARGV:      1 id  2 letter  3 most letters  4 now
-- RETURNS:   OK | KNOWN, there is a letter with this id
-- GUARANTEE: KNOWN writes nothing. The newest ARGV 3 letters are kept, and no two are added at the same instant.
local letters, ids = unpack(KEYS)
local id, letter, letters_max, now = unpack(ARGV)
if redis.call('HEXISTS', letters, id) == 1 then return 'KNOWN' end
local newest_at = tonumber(redis.call('ZRANGE', ids, -1, -1, 'WITHSCORES')[2] or 0)
redis.call('ZADD', ids, math.max(now, newest_at + 1), id)
redis.call('HSET', letters, id, letter)
for _, oldest in ipairs(redis.call('ZRANGE', ids, 0, -1 - letters_max)) do
  redis.call('HDEL', letters, oldest)
  redis.call('ZREM', ids, oldest)
end
return 'OK'
