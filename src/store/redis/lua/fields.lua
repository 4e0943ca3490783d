-- The lists in the arguments of room_commit: reads and writes are pairs (field, version:tag or value), moves are triples (place, from, to).
-- A field whose name begins with '+' lasts: it lies in a hash of its own, which outlives the room. One that begins with the name of a
-- group (KEYS 9 and on: …}member:<id>) lies in the hash of that group.
local groups = {}
for i = 9, #KEYS do groups[string.match(KEYS[i], '}:(%l+):')] = KEYS[i] end
local function hash_of(field)
  return string.byte(field) == 43 and lasting or groups[string.match(field, '^(%l+):')] or state
end

local function conflicts(moves, reads, writes)
  for i = reads, writes - 1, 2 do
    local stamp = string.match(redis.call('HGET', hash_of(ARGV[i]), ARGV[i]) or '', '^[^|]*')
    if stamp ~= ARGV[i + 1] then return true end
  end
  for i = moves, reads - 1, 3 do
    local sits = redis.call('HGET', seats, ARGV[i]) or '|'
    if string.match(sits, '|(.*)$') ~= ARGV[i + 1] then return true end
  end
  return false
end

-- What has no place left: 'seats', 'lasting' or nil.
local function full(moves, reads, writes, seats_max, lasting_max)
  local sitting, kept = redis.call('HLEN', seats), redis.call('HLEN', lasting)
  for i = moves, reads - 1, 3 do
    if ARGV[i + 1] == '' and ARGV[i + 2] ~= '' then
      sitting = sitting + 1
      if sitting > tonumber(seats_max) then return 'seats' end
    end
  end
  for i = writes, #ARGV, 2 do
    if hash_of(ARGV[i]) == lasting and ARGV[i + 1] ~= '' and redis.call('HEXISTS', lasting, ARGV[i]) == 0 then
      kept = kept + 1
      if kept > tonumber(lasting_max) then return 'lasting' end
    end
  end
end

local function write(moves, reads, writes, version, tag)
  for i = writes, #ARGV, 2 do
    if ARGV[i + 1] == '' then redis.call('HDEL', hash_of(ARGV[i]), ARGV[i])
    else redis.call('HSET', hash_of(ARGV[i]), ARGV[i], version .. ':' .. tag .. '|' .. ARGV[i + 1]) end
  end
  for i = moves, reads - 1, 3 do
    local place, from, to = ARGV[i], ARGV[i + 1], ARGV[i + 2]
    if from ~= to and to == '' then redis.call('HDEL', seats, place)
    elseif from ~= to then redis.call('HSET', seats, place, version .. '|' .. to) end
  end
end
