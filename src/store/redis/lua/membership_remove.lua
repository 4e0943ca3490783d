#!lua
-- Purpose:   forgets that a user's device sat in a room.
-- KEYS:      1 the user's memberships: room/device → participant
-- ARGV:      1 room/device  2 participant
-- RETURNS:   REMOVED | OTHER
-- GUARANTEE: changes nothing if the device sits there as another participant by now. Idempotent.
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 'OTHER' end
redis.call('HDEL', KEYS[1], ARGV[1])
return 'REMOVED'
