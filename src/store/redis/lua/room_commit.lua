#!lua
-- Purpose:   writes the next version of a room, with what it leaves to be told, if all that was read of it still stands.
-- KEYS:      1 state hash  2 outbox stream  3 timers of the partition  4 pending index of the partition
--            5 seats hash: place → version|participant  6 log stream  7 hash of the log's ids
-- ARGV:      1 now  2 member  3 tag  4 items or ''  5 deadline or ''  6 deadline if no seat is taken  7 expire in ms or ''
--            8 node  9 teller until  10 most seats  11 place or ''  12 from participant or ''  13 to participant or ''
--            14 line's id or ''  15 line  16 lines to keep  17 '1' if others stay for log_trim, or ''  18 length of the reads;
--            then field  version  for each read, and field  value or ''  for each write
-- RETURNS:   {OK, version, taken seats, 1 if the node is to tell, else 0, lines too many} | {CONFLICT} | {FULL} | {KNOWN, version of the line}
-- GUARANTEE: nothing is written but on OK. One node at a time tells. A room with an outbox never expires: field x waits for room_tell.
local state, outbox, timers, pending, seats, log, ids = unpack(KEYS)
local now, node, place, from, to = tonumber(ARGV[1]), ARGV[8], ARGV[11], ARGV[12], ARGV[13]
local names, writes = {'v', 'x', 'd'}, 19 + ARGV[18]
for i = 19, writes - 1, 2 do names[#names + 1] = ARGV[i] end
local found = redis.call('HMGET', state, unpack(names))
for i = 4, #names do
  if (string.match(found[i] or '0', '^%d+')) ~= ARGV[12 + 2 * i] then return {'CONFLICT'} end
end
if place ~= '' then
  local sits = redis.call('HGET', seats, place)
  if string.match(sits or '|', '|(.*)$') ~= from then return {'CONFLICT'} end
  if from == '' and to ~= '' and redis.call('HLEN', seats) >= tonumber(ARGV[10]) then return {'FULL'} end
end
local known = ARGV[14] ~= '' and redis.call('HGET', ids, ARGV[14])
if known then return {'KNOWN', tonumber(known)} end
local version, excess = string.format('%d', (found[1] or 0) + 1), {}
redis.call('HSET', state, 'v', version, 'x', ARGV[7])
for i = writes, #ARGV, 2 do
  if ARGV[i + 1] == '' then redis.call('HDEL', state, ARGV[i])
  else redis.call('HSET', state, ARGV[i], version .. '|' .. ARGV[i + 1]) end
end
if from ~= to and to == '' then redis.call('HDEL', seats, place)
elseif from ~= to then redis.call('HSET', seats, place, version .. '|' .. to) end
if ARGV[14] ~= '' then
  redis.call('XADD', log, version .. '-0', 'i', ARGV[14], 'l', ARGV[15])
  redis.call('HSET', ids, ARGV[14], version)
  local count = redis.call('XLEN', log) - ARGV[16]
  if count > 0 then excess = redis.call('XRANGE', log, '-', '+', 'COUNT', count) end
  if count > 0 and ARGV[17] == '' then
    for _, line in ipairs(excess) do redis.call('HDEL', ids, line[2][2]) end
    redis.call('XTRIM', log, 'MAXLEN', ARGV[16])
  end
end
if ARGV[4] ~= '' then
  redis.call('XADD', outbox, version .. '-0', 'i', ARGV[4], 'c', ARGV[1], 't', ARGV[3])
  redis.call('ZADD', pending, 'NX', ARGV[1], ARGV[2])
end
local waits, taken = redis.call('EXISTS', outbox) == 1, redis.call('HLEN', seats)
local teller, till = string.match(found[3] or '', '^(.*)|(%d+)$')
local free = not teller or tonumber(till) <= now
if waits and free then redis.call('HSET', state, 'd', node .. '|' .. ARGV[9]) end
local wish = math.min(tonumber(ARGV[5]) or math.huge, taken == 0 and ARGV[6] or math.huge)
if ARGV[7] ~= '' then redis.call('ZREM', timers, ARGV[2])
elseif wish < math.huge then -- Off the half millisecond of a claim: see room_hasten.
  redis.call('ZADD', timers, math.min(wish, math.floor(redis.call('ZSCORE', timers, ARGV[2]) or wish)), ARGV[2])
end
for _, key in ipairs({state, seats, log, ids}) do
  if ARGV[7] ~= '' and not waits then redis.call('PEXPIRE', key, ARGV[7]) elseif found[2] and found[2] ~= '' then redis.call('PERSIST', key) end
end
return {'OK', tonumber(version), taken, waits and (free or teller == node) and 1 or 0, excess}
