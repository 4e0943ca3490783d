#!lua flags=no-writes
-- Purpose:   reads fields of a room at one instant.
-- KEYS:      1 state hash  2 outbox stream  3 hash of the lasting fields  4 hash of the participants' details
--            5… hashes of the groups, that of the participants first
-- ARGV:      field names, see room_fields.lua; 'group:' alone reads all fields of a group, 'group::' the first line of each, under the
--            name 'group::<rest of its name>'; no names: reads everything
-- RETURNS:   {OK, version or 0 if only lasting fields are left, number of participants, id of the oldest outbox entry or '', fields} | {NONE}
--            fields: alternating names and values of those that exist
-- GUARANTEE: writes nothing, and reads only the hashes that have the fields asked for.
local state, outbox, lasting, details, participants = unpack(KEYS)
local version = redis.call('HGET', state, 'v')
if not version and redis.call('EXISTS', lasting) == 0 then return {'NONE'} end
local groups, fields = {}, {}
for i = 5, #KEYS do groups[string.match(KEYS[i], '}:(%l+):')] = KEYS[i] end
local function take(name, value) fields[#fields + 1], fields[#fields + 2] = name, value end
local function takeField(hash, name, value)
  local detail = hash == participants and redis.call('HGET', details, name)
  take(name, detail and value .. '\n' .. detail or value)
end
local function takeHash(hash)
  local found = redis.call('HGETALL', hash)
  for i = 1, #found, 2 do takeField(hash, found[i], found[i + 1]) end
end
for _, name in ipairs(ARGV) do
  local hash = string.byte(name) == 43 and lasting or groups[string.match(name, '^(%l+):')] or state
  if string.match(name, '^%+?%l+:$') then takeHash(hash)
  elseif string.match(name, '^%+?%l+::$') then
    local found = redis.call('HGETALL', hash)
    for i = 1, #found, 2 do take((string.gsub(found[i], ':', '::', 1)), found[i + 1]) end
  else
    local value = redis.call('HGET', hash, name)
    if value then takeField(hash, name, value) end
  end
end
if #ARGV == 0 then
  for i, key in ipairs(KEYS) do if key ~= outbox and key ~= details then takeHash(key) end end
end
local first = redis.call('XRANGE', outbox, '-', '+', 'COUNT', 1)[1]
return {'OK', tonumber(version or 0), redis.call('HLEN', participants), first and first[1] or '', fields}
