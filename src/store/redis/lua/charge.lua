-- Charges. The arguments: their number, and for each of them: key  most  1 to take one, 0 to see whether one is left  ttl
local function readCharges()
  local charges = {}
  for i = 1, tonumber(arguments(1)) do charges[i] = {arguments(4)} end
  return charges
end

-- The number of the first one that cannot be met; those before it are taken.
local function charge(charges)
  for i, each in ipairs(charges) do
    local counted, most, taken, ttl = unpack(each)
    local granted = taken == '1' and takeQuota(counted, most, 1, ttl) or tonumber(most) - (redis.call('GET', counted) or 0)
    if granted <= 0 then return i end
  end
end
