#!lua
-- Purpose:   remembers that a room rings for a user, and forgets what no longer can.
-- KEYS:      1 the user's invitations: room, by the instant it rings until
-- ARGV:      1 room  2 until  3 now  4 ttl
-- RETURNS:   OK
-- GUARANTEE: never remembered without an end, nor for shorter than before. Idempotent.
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 'OK'
