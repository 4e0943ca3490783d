-- Takes up to `want` of what is left of a window's quota; the number granted. The first to take sets when the window's count goes.
local function takeQuota(key, most, want, ttl)
  local taken = tonumber(redis.call('GET', key) or 0)
  local granted = math.max(0, math.min(tonumber(most) - taken, tonumber(want)))
  if taken == 0 and granted > 0 then redis.call('SET', key, granted, 'PX', ttl)
  elseif granted > 0 then redis.call('INCRBY', key, granted) end
  return granted
end
