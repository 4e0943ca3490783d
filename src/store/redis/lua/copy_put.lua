#!lua
-- Purpose:   keeps a copy of what another service said.
-- KEYS:      1 the copy: tag|value
-- ARGV:      1 tag  2 value  3 ttl, 0: it goes  4 '=' and the tag of the copy it is written over ('=' alone: of none), or '' for any
-- RETURNS:   OK | OTHER
-- GUARANTEE: nothing is written on OTHER. Never kept without an end.
if ARGV[4] ~= '' then
  local kept = string.match(redis.call('GET', KEYS[1]) or '|', '^[^|]*')
  if '=' .. kept ~= ARGV[4] then return 'OTHER' end
end
if ARGV[3] == '0' then redis.call('DEL', KEYS[1])
else redis.call('SET', KEYS[1], ARGV[1] .. '|' .. ARGV[2], 'PX', ARGV[3]) end
return 'OK'
