#!lua flags=no-writes
-- Purpose:   reads parts of a room, as of one instant.
-- KEYS:      1 state hash  2 outbox stream  3 seats hash  4 hash of the lasting fields  5… hashes of the groups
-- ARGV:      fields, see fields.lua; 'group:' and nothing more is all of a group; none: all
-- RETURNS:   {OK, version or 0 if only lasting fields are left, taken seats, id of the oldest outbox entry or '', fields} | {NONE}
--            fields: names and values in turn, of those that exist
-- GUARANTEE: writes nothing. What lies in another hash than a field asked for is not read.
local version = redis.call('HGET', KEYS[1], 'v')
if not version and redis.call('EXISTS', KEYS[4]) == 0 then return {'NONE'} end
local groups, fields = {}, {}
for i = 5, #KEYS do groups[string.match(KEYS[i], '}:(%l+):')] = KEYS[i] end
local function take(name, value) fields[#fields + 1], fields[#fields + 2] = name, value end
local function take_all(key)
  local found = redis.call('HGETALL', key)
  for i = 1, #found, 2 do take(found[i], found[i + 1]) end
end
for _, name in ipairs(ARGV) do
  local hash = string.byte(name) == 43 and KEYS[4] or groups[string.match(name, '^(%l+):')] or KEYS[1]
  if string.match(name, '^%+?%l+:$') then take_all(hash)
  else
    local value = redis.call('HGET', hash, name)
    if value then take(name, value) end
  end
end
if #ARGV == 0 then
  for i, key in ipairs(KEYS) do if i == 1 or i > 3 then take_all(key) end end
end
local first = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
return {'OK', tonumber(version or 0), redis.call('HLEN', KEYS[3]), first and first[1] or '', fields}
