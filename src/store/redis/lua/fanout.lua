-- Purpose:   reads a fan-out lease: field d of a state hash, node|until.
-- RETURNS:   leaseHolder(lease, now): the node that holds it; nil if the lease has lapsed
local function leaseHolder(lease, now)
  local holder, lease_until = string.match(lease or '', '^(.*)|(%d+)$')
  if holder and tonumber(lease_until) > tonumber(now) then return holder end
end
