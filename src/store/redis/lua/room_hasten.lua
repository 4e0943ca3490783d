#!lua
-- Purpose:   brings the deadline of a room forward; whoever claimed the room may also put it off.
-- KEYS:      1 index of timers
-- ARGV:      1 state key of the room  2 deadline  3 where the claim has put it: between two milliseconds; or ''
-- RETURNS:   OK | NONE, it has no deadline
-- GUARANTEE: put off only if nobody has hastened it since the claim: doing so takes it off the half millisecond.
local before, at = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1])), tonumber(ARGV[2])
if not before then return 'NONE' end
if before ~= tonumber(ARGV[3]) then at = math.min(at, math.floor(before)) end
redis.call('ZADD', KEYS[1], at, ARGV[1])
return 'OK'
