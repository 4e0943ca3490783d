-- The fields in the arguments of room_commit: pairs of name and value from an index in ARGV on. The prefix of a name says which hash has it:
-- '+' the hash of the lasting fields, which outlives the room; the name of a group the hash of the group (KEYS 9 and on:
-- …}participant:<id>); any other the state hash. The value of a participant is split: its first line, the head, is in the hash of the group
-- and the rest in the details hash, so that reading all heads does not read the rest.
local groups = {}
for i = 9, #KEYS do groups[string.match(KEYS[i], '}:(%l+):')] = KEYS[i] end
local function hashOf(field)
  return string.byte(field) == 43 and lasting or groups[string.match(field, '^(%l+):')] or state
end

-- Whether a field was written by another commit than the one named beside it.
local function conflicts(first, last)
  for i = first, last, 2 do
    local stamp = string.match(redis.call('HGET', hashOf(ARGV[i]), ARGV[i]) or '', '^[^|]*')
    if stamp ~= ARGV[i + 1] then return true end
  end
  return false
end

-- Whether the writes would add fields to this hash and leave more than `most` in it.
local function exceeds(hash, most, first, last)
  local added = 0
  for i = first, last, 2 do
    local is_new = ARGV[i + 1] ~= '' and hashOf(ARGV[i]) == hash and redis.call('HEXISTS', hash, ARGV[i]) == 0
    added = added + (is_new and 1 or 0)
  end
  return added > 0 and redis.call('HLEN', hash) + added > tonumber(most)
end

local function write(first, last, stamp)
  for i = first, last, 2 do
    local field, hash, value, detail = ARGV[i], hashOf(ARGV[i]), ARGV[i + 1], ''
    if hash == participants then value, detail = string.match(value, '^([^\n]*)\n?(.*)$') end
    if value == '' then redis.call('HDEL', hash, field)
    else redis.call('HSET', hash, field, stamp .. '|' .. value) end
    if detail ~= '' then redis.call('HSET', details, field, detail)
    elseif hash == participants then redis.call('HDEL', details, field) end
  end
end
