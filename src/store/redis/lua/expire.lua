-- Purpose:   lets KEYS from an index on expire at the same instant. PEXPIRE would not: each of them reads the clock anew.
local function expireTogether(first_key, expire_in)
  local time = redis.call('TIME')
  local at = string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000) + expire_in)
  for i = first_key, #KEYS do redis.call('PEXPIREAT', KEYS[i], at) end
end
