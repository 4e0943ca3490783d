-- Leases on a user: a hash, holder → peer|kind|at|role.
-- The arguments of a claim: holder  peer  kind  'at|role'  ttl  number of limits, and for each of them: kind  most leases
local function readClaim()
  local holder, peer, kind, rest, ttl, count = arguments(6)
  local claim = {holder = holder, peer = peer, kind = kind, rest = rest, ttl = ttl, limits = {}}
  for _ = 1, tonumber(count) do
    local limited, most = arguments(2)
    claim.limits[limited] = tonumber(most)
  end
  return claim
end

-- Whether the claim is granted, and what it writes: nil where nothing changes.
local function judgeClaim(leases, claim)
  local held, counts, mine, has_peer = redis.call('HGETALL', leases), {}, nil, false
  for i = 1, #held, 2 do
    local peer, kind, rest = string.match(held[i + 1], '^([^|]*)|([^|]*)|(.*)$')
    if held[i] == claim.holder then mine = {peer = peer, kind = kind, rest = rest} end
    if peer == claim.peer then has_peer = true end
    counts[kind] = (counts[kind] or 0) + 1
  end
  local function isFull(kind) return claim.limits[kind] and (counts[kind] or 0) >= claim.limits[kind] end
  if mine then
    if mine.kind == 'active' or claim.kind ~= 'active' then return true end
    return not isFull('active'), mine.peer .. '|active|' .. mine.rest
  end
  for kind in pairs(claim.limits) do
    if isFull(kind) then return false end
  end
  return not has_peer, claim.peer .. '|' .. claim.kind .. '|' .. claim.rest
end

-- Returns all leases the user holds then: holders and values in turn.
local function grant(leases, claim, value)
  if value then
    redis.call('HSET', leases, claim.holder, value)
    redis.call('PEXPIRE', leases, claim.ttl)
  end
  return redis.call('HGETALL', leases)
end
