-- Purpose:   judges and grants claims of leases. The leases of a user are a hash: holder → peer|kind|at|role. A peer contains no bar.
-- ARGV:      a claim: holder  peer or ''  kind  'at|role'  TTL in ms  holder whose lease does not count or ''  number of limits, and for
--            each of them: kind  most leases
-- GUARANTEE: a user has at most one lease with the same peer, and a granted claim exceeds no limit.
local function readClaim()
  local holder, peer, kind, rest, ttl, uncounted, count = arguments(7)
  local claim = {holder = holder, peer = peer, kind = kind, rest = rest, ttl = ttl, uncounted = uncounted, limits = {}}
  for _ = 1, tonumber(count) do
    local limited, most = arguments(2)
    claim.limits[limited] = tonumber(most)
  end
  return claim
end

-- Returns whether the claim is granted, and the lease to write: nil if the holder's lease does not change. Writes nothing.
local function judgeClaim(leases, claim)
  local held, counts, own, has_peer = redis.call('HGETALL', leases), {}, nil, false
  for i = 1, #held, 2 do
    local peer, kind, rest = string.match(held[i + 1], '^([^|]*)|([^|]*)|(.*)$')
    if held[i] == claim.holder then own = {peer = peer, kind = kind, rest = rest}
    elseif peer ~= '' and peer == claim.peer then has_peer = true end
    if held[i] ~= claim.uncounted then counts[kind] = (counts[kind] or 0) + 1 end
  end
  if has_peer then return false end
  local function isFull(kind) return claim.limits[kind] and (counts[kind] or 0) >= claim.limits[kind] end
  if own then
    local is_upgrade = own.kind ~= 'active' and claim.kind == 'active'
    if is_upgrade and isFull('active') then return false end
    if not is_upgrade and own.peer == claim.peer then return true end
    return true, claim.peer .. '|' .. (is_upgrade and 'active' or own.kind) .. '|' .. own.rest
  end
  for kind in pairs(claim.limits) do
    if isFull(kind) then return false end
  end
  return true, claim.peer .. '|' .. claim.kind .. '|' .. claim.rest
end

-- Writes the lease, if one is given. Returns all leases the user holds: holders and values in turn.
local function grant(leases, claim, lease)
  if lease then
    redis.call('HSET', leases, claim.holder, lease)
    redis.call('PEXPIRE', leases, claim.ttl)
  end
  return redis.call('HGETALL', leases)
end
