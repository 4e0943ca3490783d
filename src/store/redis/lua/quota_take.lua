#!lua
-- Purpose:   takes as much as is left of a window's quota.
-- KEYS:      1 what is taken already
-- ARGV:      1 most  2 wanted  3 ttl
-- RETURNS:   'GRANTED n'
-- GUARANTEE: over all callers never more than ARGV 1.
-- include quota
local taken = KEYS[1]
local most, want, ttl = unpack(ARGV)
return 'GRANTED ' .. takeQuota(taken, most, want, ttl)
