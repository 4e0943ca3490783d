#!lua
-- Purpose:   takes as much as is left of a window's quota.
-- KEYS:      1 what is taken already
-- ARGV:      1 most  2 wanted  3 ttl
-- RETURNS:   'GRANTED n'
-- GUARANTEE: over all callers never more than ARGV 1.
local left = tonumber(ARGV[1]) - tonumber(redis.call('GET', KEYS[1]) or 0)
local granted = math.max(0, math.min(left, tonumber(ARGV[2])))
if granted > 0 then
  redis.call('INCRBY', KEYS[1], granted)
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return 'GRANTED ' .. granted
