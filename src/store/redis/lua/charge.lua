-- Purpose:   takes the charges of a commit: units of counters.
-- ARGV:      number of charges; for each: key of the counter  most units  1 to take one, 0 to only require that one is left  TTL in ms
local function readCharges()
  local charges = {}
  for i = 1, tonumber(arguments(1)) do charges[i] = {arguments(4)} end
  return charges
end

-- Returns the number of the first charge that is refused; those before it are taken.
local function charge(charges)
  for i, each in ipairs(charges) do
    local counter, most, is_taken, ttl = unpack(each)
    local granted = is_taken == '1' and takeBudget(counter, most, 1, ttl) or most - (redis.call('GET', counter) or 0)
    if granted <= 0 then return i end
  end
end
