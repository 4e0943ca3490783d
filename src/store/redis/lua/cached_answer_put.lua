#!lua
-- Purpose:   keeps an answer of an outside service.
-- KEYS:      1 cached answer: tag|value
-- ARGV:      1 tag  2 value  3 TTL in ms; 0 deletes the answer
--            4 '=' and the tag that the cached answer must have ('=' alone: none may be cached), or '' for any
-- RETURNS:   OK | OTHER, another answer is cached
-- GUARANTEE: OTHER writes nothing. Every cached answer has a TTL.
local key = KEYS[1]
local tag, value, ttl, expected = unpack(ARGV)
if expected ~= '' then
  local cached_tag = string.match(redis.call('GET', key) or '|', '^[^|]*')
  if '=' .. cached_tag ~= expected then return 'OTHER' end
end
if ttl == '0' then redis.call('DEL', key)
else redis.call('SET', key, tag .. '|' .. value, 'PX', ttl) end
return 'OK'
