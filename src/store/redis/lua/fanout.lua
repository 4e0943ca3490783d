-- A fan-out lease is one text in field d of a state hash: node|until. The node that holds it, or nil when it has lapsed.
local function leaseHolder(lease, now)
  local holder, till = string.match(lease or '', '^(.*)|(%d+)$')
  if holder and tonumber(till) > tonumber(now) then return holder end
end
