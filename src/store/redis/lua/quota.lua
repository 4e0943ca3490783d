-- Takes up to `want` of what is left of a window's quota; the number granted.
local function takeQuota(key, most, want, ttl)
  local left = tonumber(most) - tonumber(redis.call('GET', key) or 0)
  local granted = math.max(0, math.min(left, tonumber(want)))
  if granted > 0 then
    redis.call('INCRBY', key, granted)
    redis.call('PEXPIRE', key, ttl)
  end
  return granted
end
