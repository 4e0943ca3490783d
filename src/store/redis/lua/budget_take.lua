#!lua
-- Purpose:   takes units of a user's budget.
-- KEYS:      1 counter of the window: the units that are taken
-- ARGV:      1 most units in the window  2 wanted units  3 TTL in ms
-- RETURNS:   'GRANTED n'
-- GUARANTEE: all callers together get at most ARGV 1.
-- include budget
local counter = KEYS[1]
local most, want, ttl = unpack(ARGV)
return 'GRANTED ' .. takeBudget(counter, most, want, ttl)
