#!lua
-- Purpose:   remembers that a room rings for a user, and forgets what no longer can.
-- KEYS:      1 the user's invitations: room, by the instant it rings until
-- ARGV:      1 room  2 until  3 now  4 how long the key outlives the last one
-- RETURNS:   OK
-- GUARANTEE: never remembered without an end, nor for shorter than before. Idempotent.
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2] or ARGV[3]
redis.call('PEXPIRE', KEYS[1], math.ceil(last - ARGV[3]) + ARGV[4])
return 'OK'
