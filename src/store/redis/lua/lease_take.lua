#!lua
-- Purpose:   takes a lease on a user.
-- KEYS:      1 leases hash: holder → peer|kind|at|role
-- ARGV:      1 holder  2 peer  3 kind  4 'at|role'  5 ttl; then for each kind that is limited: kind  most leases
-- RETURNS:   {TAKEN} | {HELD, holder, peer|kind|at|role, …}
-- GUARANTEE: never taken over a limit, nor a second one with the peer. Taking it again is a success and changes nothing.
local holder, peer, kind, rest, ttl = unpack(ARGV, 1, 5)
local held, counts, free = redis.call('HGETALL', KEYS[1]), {}, true
for i = 1, #held, 2 do
  if held[i] == holder then return {'TAKEN'} end
  local other, of = string.match(held[i + 1], '^([^|]*)|([^|]*)')
  if other == peer then free = false end
  counts[of] = (counts[of] or 0) + 1
end
for i = 6, #ARGV, 2 do
  if (counts[ARGV[i]] or 0) >= tonumber(ARGV[i + 1]) then free = false end
end
if not free then return {'HELD', unpack(held)} end
redis.call('HSET', KEYS[1], holder, peer .. '|' .. kind .. '|' .. rest)
redis.call('PEXPIRE', KEYS[1], ttl)
return {'TAKEN'}
