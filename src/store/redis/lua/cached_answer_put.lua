#!lua
-- Purpose:   keeps a copy of what another service said.
-- KEYS:      1 the copy: tag|value
-- ARGV:      1 tag  2 value  3 ttl, 0: it goes  4 '=' and the tag of the copy it is written over ('=' alone: of none), or '' for any
-- RETURNS:   OK | OTHER
-- GUARANTEE: nothing is written on OTHER. Never kept without an end.
local copy = KEYS[1]
local tag, value, ttl, over = unpack(ARGV)
if over ~= '' then
  local kept = string.match(redis.call('GET', copy) or '|', '^[^|]*')
  if '=' .. kept ~= over then return 'OTHER' end
end
if ttl == '0' then redis.call('DEL', copy)
else redis.call('SET', copy, tag .. '|' .. value, 'PX', ttl) end
return 'OK'
