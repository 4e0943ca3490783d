#!lua
-- Purpose:   writes the next version of a room, with what it leaves to be published, if all that was read of it still stands.
-- KEYS:      1 state hash  2 outbox stream  3 timers of the partition  4 pending index of the partition
--            5 seats hash: place → version|participant  6 log stream  7 hash of the log's ids  8 hash of the lasting fields
--            9… hashes of the groups
-- ARGV:      1 now  2 member  3 tag  4 items or ''  5 deadline or ''  6 deadline if no seat is taken  7 expire in ms or ''
--            8 node  9 fan-out lease until  10 most seats  11 most lasting fields  12 their ttl  13 line's id or ''  14 line
--            15 lines to keep  16 '1' if others stay for log_trim, or ''  17 length of the moves  18 length of the reads;
--            then place  from or ''  to or ''  for each move, field  version:tag or ''  for each read, and field  value or ''  for each write
-- RETURNS:   {OK, version, taken seats, 1 if the node has the fan-out lease, else 0, lines too many} | {CONFLICT}
--            | {FULL, 'seats' or 'lasting'} | {KNOWN, version of the line}
-- GUARANTEE: nothing is written but on OK. One node at a time has the lease. A room with an outbox never expires: field x waits for fanout_next.
local state, outbox, timers, pending, seats, log, ids, lasting = unpack(KEYS)
local now, node, moves = tonumber(ARGV[1]), ARGV[8], 19
local reads = moves + ARGV[17]
local writes = reads + ARGV[18]
-- include fields
-- include fanout
local found = redis.call('HMGET', state, 'v', 'x', 'd')
if conflicts(moves, reads, writes) then return {'CONFLICT'} end
local what = full(moves, reads, writes, ARGV[10], ARGV[11])
if what then return {'FULL', what} end
local known = ARGV[13] ~= '' and redis.call('HGET', ids, ARGV[13])
if known then return {'KNOWN', tonumber(known)} end
local version, excess = string.format('%d', (found[1] or 0) + 1), {}
redis.call('HSET', state, 'v', version, 'x', ARGV[7])
write(moves, reads, writes, version, ARGV[3])
redis.call('PEXPIRE', lasting, ARGV[12])
if ARGV[13] ~= '' then
  redis.call('XADD', log, version .. '-0', 'i', ARGV[13], 'l', ARGV[14])
  redis.call('HSET', ids, ARGV[13], version)
  local count = redis.call('XLEN', log) - ARGV[15]
  if count > 0 then excess = redis.call('XRANGE', log, '-', '+', 'COUNT', count) end
  if count > 0 and ARGV[16] == '' then
    for _, line in ipairs(excess) do redis.call('HDEL', ids, line[2][2]) end
    redis.call('XTRIM', log, 'MAXLEN', ARGV[15])
  end
end
if ARGV[4] ~= '' then
  redis.call('XADD', outbox, version .. '-0', 'i', ARGV[4], 'c', ARGV[1], 't', ARGV[3])
  redis.call('ZADD', pending, 'NX', ARGV[1], ARGV[2])
end
local waits, taken = redis.call('EXISTS', outbox) == 1, redis.call('HLEN', seats)
local holder = leaseHolder(found[3], now)
if waits and not holder then
  holder = node
  redis.call('HSET', state, 'd', node .. '|' .. ARGV[9])
end
local wish = math.min(tonumber(ARGV[5]) or math.huge, taken == 0 and ARGV[6] or math.huge)
if ARGV[7] ~= '' then redis.call('ZREM', timers, ARGV[2])
elseif wish < math.huge then -- Off the half millisecond of a claim: see room_hasten.
  redis.call('ZADD', timers, math.min(wish, math.floor(redis.call('ZSCORE', timers, ARGV[2]) or wish)), ARGV[2])
end
local ends, lived = ARGV[7] ~= '' and not waits, found[2] and found[2] ~= ''
for i, key in ipairs(KEYS) do -- All but the outbox, the partition's indexes and what lasts.
  if i ~= 1 and i < 5 or i == 8 then
  elseif ends then redis.call('PEXPIRE', key, ARGV[7])
  elseif lived then redis.call('PERSIST', key) end
end
return {'OK', tonumber(version), taken, waits and holder == node and 1 or 0, excess}
