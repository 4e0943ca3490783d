#!lua
-- Purpose:   takes a lease on a user, or upgrades the holder's lease to active.
-- KEYS:      1 leases hash
-- ARGV:      a claim (see lease)
-- RETURNS:   {TAKEN | REFUSED, then all leases the user holds: holder, peer|kind|at|role, …}
-- GUARANTEE: REFUSED writes nothing. A repeat is TAKEN and changes nothing. Limits: see lease.
-- include arguments
-- include lease
local leases, claim = KEYS[1], readClaim()
local is_granted, lease = judgeClaim(leases, claim)
if not is_granted then return {'REFUSED', unpack(redis.call('HGETALL', leases))} end
return {'TAKEN', unpack(grant(leases, claim, lease))}
