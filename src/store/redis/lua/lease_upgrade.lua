#!lua
-- Purpose:   makes a lease on a user active.
-- KEYS:      1 leases hash: holder → peer|kind|at|role
-- ARGV:      1 holder  2 most active leases of others
-- RETURNS:   {ACTIVE, holder, peer|kind|at|role, …} | {FULL, holder, peer|kind|at|role, …} | {MISSING}
-- GUARANTEE: nothing is written unless the reply is ACTIVE. Idempotent.
local holder, most = ARGV[1], tonumber(ARGV[2])
local mine = redis.call('HGET', KEYS[1], holder)
if not mine then return {'MISSING'} end
local peer, kind, rest = string.match(mine, '^([^|]*)|([^|]*)(|.*)$')
local held, active = redis.call('HGETALL', KEYS[1]), 0
for i = 1, #held, 2 do
  if string.match(held[i + 1], '^[^|]*|active|') then active = active + 1 end
end
if kind ~= 'active' then
  if active >= most then return {'FULL', unpack(held)} end
  redis.call('HSET', KEYS[1], holder, peer .. '|active' .. rest)
end
return {'ACTIVE', unpack(redis.call('HGETALL', KEYS[1]))}
