#!lua
-- Purpose:   adds a room to an index, and removes the rooms that are not listed any more.
-- KEYS:      1 sorted set: room, by the instant until which it is listed
-- ARGV:      1 room  2 listed until  3 now  4 ms for which the key outlives the last room
-- RETURNS:   OK
-- GUARANTEE: a room never gets an earlier end than it had. The key has a TTL. Idempotent.
local rooms = KEYS[1]
local room, listed_until, now, linger_ms = unpack(ARGV)
redis.call('ZREMRANGEBYSCORE', rooms, '-inf', now)
redis.call('ZADD', rooms, 'GT', listed_until, room)
local last = redis.call('ZRANGE', rooms, -1, -1, 'WITHSCORES')[2] or now
redis.call('PEXPIRE', rooms, math.ceil(last - now) + linger_ms)
return 'OK'
