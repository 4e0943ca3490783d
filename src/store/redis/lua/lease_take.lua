#!lua
-- Purpose:   takes a lease on a user.
-- KEYS:      1 leases hash: holder → peer|at|role
-- ARGV:      1 holder  2 peer  3 'at|role'  4 most leases  5 ttl
-- RETURNS:   {TAKEN} | {HELD, holder, peer|at|role, …}
-- GUARANTEE: never more than ARGV 4 for a user, nor two with one peer. Taking it again is a success.
local held = redis.call('HGETALL', KEYS[1])
local free = #held / 2 < tonumber(ARGV[4])
for i = 1, #held, 2 do
  if held[i] == ARGV[1] then return {'TAKEN'} end
  if string.match(held[i + 1], '^[^|]*') == ARGV[2] then free = false end
end
if not free then return {'HELD', unpack(held)} end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. '|' .. ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return {'TAKEN'}
