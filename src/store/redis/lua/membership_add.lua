#!lua
-- Purpose:   remembers that a user's device sits in a room.
-- KEYS:      1 the user's memberships: room/device → participant
-- ARGV:      1 room/device  2 participant  3 ttl
-- RETURNS:   OK
-- GUARANTEE: never remembered without an end. Idempotent.
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 'OK'
