-- Purpose:   takes up to `want` units of a budget in its window.
-- RETURNS:   takeBudget(): how many units were granted
-- GUARANTEE: never more than `most` units in the window. The first unit sets the TTL of the counter.
local function takeBudget(counter, most, want, ttl)
  local taken = tonumber(redis.call('GET', counter) or 0)
  local granted = math.max(0, math.min(tonumber(most) - taken, tonumber(want)))
  if taken == 0 and granted > 0 then redis.call('SET', counter, granted, 'PX', ttl)
  elseif granted > 0 then redis.call('INCRBY', counter, granted) end
  return granted
end
