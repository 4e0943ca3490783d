-- The fields in the arguments of room_commit: pairs from one place in ARGV on. A field whose name begins with '+' lasts: it lies in a hash
-- of its own, which outlives the room. One whose name begins with that of a group (KEYS 9 and on: …}member:<id>) lies in the group's hash,
-- but of a member only the first line: what follows lies in the hash of the rests, so that reading all heads does not read it.
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

-- Whether the writes would add fields to this hash beyond `most`.
local function exceeds(hash, most, first)
  local added = 0
  for i = first, #ARGV, 2 do
    local is_new = ARGV[i + 1] ~= '' and hashOf(ARGV[i]) == hash and redis.call('HEXISTS', hash, ARGV[i]) == 0
    added = added + (is_new and 1 or 0)
  end
  return added > 0 and redis.call('HLEN', hash) + added > tonumber(most)
end

local function write(first, stamp)
  for i = first, #ARGV, 2 do
    local field, hash, value, rest = ARGV[i], hashOf(ARGV[i]), ARGV[i + 1], ''
    if hash == members then value, rest = string.match(value, '^([^\n]*)\n?(.*)$') end
    if value == '' then redis.call('HDEL', hash, field)
    else redis.call('HSET', hash, field, stamp .. '|' .. value) end
    if rest ~= '' then redis.call('HSET', rests, field, rest)
    elseif hash == members then redis.call('HDEL', rests, field) end
  end
end
