#!lua
-- Purpose:   adds a room to a user's invitations, and removes those that ring no longer.
-- KEYS:      1 sorted set: room, by the instant until which the invitation rings
-- ARGV:      1 room  2 rings until  3 now  4 ms for which the key outlives the last invitation
-- RETURNS:   OK
-- GUARANTEE: an invitation never gets an earlier end than it had. The key has a TTL. Idempotent.
local invitations = KEYS[1]
local room, rings_until, now, linger_ms = unpack(ARGV)
redis.call('ZREMRANGEBYSCORE', invitations, '-inf', now)
redis.call('ZADD', invitations, 'GT', rings_until, room)
local last = redis.call('ZRANGE', invitations, -1, -1, 'WITHSCORES')[2] or now
redis.call('PEXPIRE', invitations, math.ceil(last - now) + linger_ms)
return 'OK'
