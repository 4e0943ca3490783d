#!lua flags=no-writes
-- Purpose:   reads parts of a room, as of one instant.
-- KEYS:      1 state hash  2 outbox stream  3 seats hash  4 hash of the lasting fields
-- ARGV:      fields; those whose name begins with '+' last; none: all
-- RETURNS:   {OK, version or 0 if only lasting fields are left, taken seats, id of the oldest outbox entry or '', fields} | {NONE}
--            fields: the values in the order of ARGV, nil where there is none; of all: names and values in turn
-- GUARANTEE: writes nothing.
local version = redis.call('HGET', KEYS[1], 'v')
if not version and redis.call('EXISTS', KEYS[4]) == 0 then return {'NONE'} end
local fields = {}
for i, name in ipairs(ARGV) do fields[i] = redis.call('HGET', KEYS[string.byte(name) == 43 and 4 or 1], name) end
if #ARGV == 0 then
  fields = redis.call('HGETALL', KEYS[1])
  for _, text in ipairs(redis.call('HGETALL', KEYS[4])) do fields[#fields + 1] = text end
end
local first = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
return {'OK', tonumber(version or 0), redis.call('HLEN', KEYS[3]), first and first[1] or '', fields}
