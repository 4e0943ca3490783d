#!lua
-- Purpose:   brings the deadline of a room forward; whoever claimed the room may also put it off.
-- KEYS:      1 index of timers
-- ARGV:      1 state key of the room  2 deadline  3 where the claim has put it: between two milliseconds; or ''
-- RETURNS:   OK | NONE, it has no deadline
-- GUARANTEE: put off only if nobody has brought it forward since the claim: doing so takes it off the half millisecond.
local timers = KEYS[1]
local room, deadline, claimed_until = unpack(ARGV)
local before, at = tonumber(redis.call('ZSCORE', timers, room)), tonumber(deadline)
if not before then return 'NONE' end
if before ~= tonumber(claimed_until) then at = math.min(at, math.floor(before)) end
redis.call('ZADD', timers, at, room)
return 'OK'
