#!lua
-- Purpose:   takes a lease on a user, or makes it active.
-- KEYS:      1 leases hash
-- ARGV:      a claim (see lease)
-- RETURNS:   {TAKEN | REFUSED, holder, peer|kind|at|role, …}: all leases the user holds
-- GUARANTEE: never taken over a limit, nor a second one with the peer. Taking it again is a success and changes nothing.
-- include arguments
-- include lease
local leases, claim = KEYS[1], readClaim()
local granted, value = judgeClaim(leases, claim)
if not granted then return {'REFUSED', unpack(redis.call('HGETALL', leases))} end
return {'TAKEN', unpack(grant(leases, claim, value))}
