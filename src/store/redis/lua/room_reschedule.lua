#!lua
-- Purpose:   brings the deadline of a room forward; a node that has claimed the room may also postpone it.
-- KEYS:      1 index of timers
-- ARGV:      1 state key of the room  2 deadline  3 claim marker (see ../../claim-marker.ts), or '' without a claim
-- RETURNS:   OK | NONE, it has no deadline
-- GUARANTEE: postponed only while the deadline still equals the claim marker.
local timers = KEYS[1]
local room, deadline, claim_marker = unpack(ARGV)
local before, at = tonumber(redis.call('ZSCORE', timers, room)), tonumber(deadline)
if not before then return 'NONE' end
if before ~= tonumber(claim_marker) then at = math.min(at, math.floor(before)) end
redis.call('ZADD', timers, at, room)
return 'OK'
