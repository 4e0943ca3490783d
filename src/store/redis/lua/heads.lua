-- The fields of a hash with their heads: names and values in turn, of each value what stands before the first line break.
local function headsOf(hash)
  local found = redis.call('HGETALL', hash)
  for i = 2, #found, 2 do found[i] = string.match(found[i], '^[^\n]*') end
  return found
end
