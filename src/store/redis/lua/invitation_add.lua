#!lua
-- Purpose:   remembers that a room rings for a user, and forgets what no longer can.
-- KEYS:      1 the user's invitations: room, by the instant it rings until
-- ARGV:      1 room  2 until  3 now  4 how long the key outlives the last one
-- RETURNS:   OK
-- GUARANTEE: never remembered without an end, nor for shorter than before. Idempotent.
local invitations = KEYS[1]
local room, rings_until, now, keep_for = unpack(ARGV)
redis.call('ZREMRANGEBYSCORE', invitations, '-inf', now)
redis.call('ZADD', invitations, 'GT', rings_until, room)
local last = redis.call('ZRANGE', invitations, -1, -1, 'WITHSCORES')[2] or now
redis.call('PEXPIRE', invitations, math.ceil(last - now) + keep_for)
return 'OK'
