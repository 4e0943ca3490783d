#!lua
-- Purpose:   writes the next version of a room, with what it leaves to be published, if all that was read of it still stands.
-- KEYS:      1 state hash  2 outbox stream  3 index of timers  4 index of outboxes that wait  5 seats hash: place → version|participant
--            6 log stream  7 hash of the log's ids  8 hash of the lasting fields  9… hashes of the groups
-- ARGV:      1 now  2 tag  3 items or ''  4 deadline or ''  5 deadline if no seat is taken  6 expire in ms or ''
--            7 node  8 fan-out lease until  9 most seats  10 most lasting fields  11 their ttl  12 line's id or ''  13 line
--            14 lines to keep  15 '1' if others stay for log_trim, or ''  16 length of the moves  17 length of the reads;
--            then place  from or ''  to or ''  for each move, field  version:tag or ''  for each read, and field  value or ''  for each write
-- RETURNS:   {OK, version, taken seats, 1 if the node has the fan-out lease, else 0, lines too many} | {CONFLICT}
--            | {FULL, 'seats' or 'lasting'} | {KNOWN, version of the line}
-- GUARANTEE: nothing is written but on OK. One node at a time has the lease. A room with an outbox never expires: field x waits for fanout_next.
local state, outbox, timers, pending, seats, log, ids, lasting = unpack(KEYS)
local now, tag, items, deadline, empty_deadline, expire, node, lease_until = unpack(ARGV, 1, 8)
local seats_max, lasting_max, lasting_ttl, line_id, line, keep, holds = unpack(ARGV, 9, 15)
local moves, reads = 18, 18 + ARGV[16]
local writes = reads + ARGV[17]
-- include fields
-- include fanout
local found = redis.call('HMGET', state, 'v', 'x', 'd')
if conflicts(moves, reads, writes) then return {'CONFLICT'} end
local what = full(moves, reads, writes, seats_max, lasting_max)
if what then return {'FULL', what} end
local known = line_id ~= '' and redis.call('HGET', ids, line_id)
if known then return {'KNOWN', tonumber(known)} end
local version, excess = string.format('%d', (found[1] or 0) + 1), {}
redis.call('HSET', state, 'v', version, 'x', expire)
write(moves, reads, writes, version, tag)
redis.call('PEXPIRE', lasting, lasting_ttl)
if line_id ~= '' then
  redis.call('XADD', log, version .. '-0', 'i', line_id, 'l', line)
  redis.call('HSET', ids, line_id, version)
  local count = redis.call('XLEN', log) - keep
  if count > 0 then excess = redis.call('XRANGE', log, '-', '+', 'COUNT', count) end
  if count > 0 and holds == '' then
    for _, old in ipairs(excess) do redis.call('HDEL', ids, old[2][2]) end
    redis.call('XTRIM', log, 'MAXLEN', keep)
  end
end
if items ~= '' then
  redis.call('XADD', outbox, version .. '-0', 'i', items, 'c', now, 't', tag)
  redis.call('ZADD', pending, 'NX', now, outbox)
end
local waits, taken = redis.call('EXISTS', outbox) == 1, redis.call('HLEN', seats)
local holder = leaseHolder(found[3], now)
if waits and not holder then
  holder = node
  redis.call('HSET', state, 'd', node .. '|' .. lease_until)
end
local wish = math.min(tonumber(deadline) or math.huge, taken == 0 and empty_deadline or math.huge)
if expire ~= '' then redis.call('ZREM', timers, state)
elseif wish < math.huge then -- Off the half millisecond of a claim: see room_hasten.
  redis.call('ZADD', timers, math.min(wish, math.floor(redis.call('ZSCORE', timers, state) or wish)), state)
end
local ends, lived = expire ~= '' and not waits, found[2] and found[2] ~= ''
for i, key in ipairs(KEYS) do -- All but the outbox, the indexes and what lasts.
  if i ~= 1 and i < 5 or i == 8 then
  elseif ends then redis.call('PEXPIRE', key, expire)
  elseif lived then redis.call('PERSIST', key) end
end
return {'OK', tonumber(version), taken, waits and holder == node and 1 or 0, excess}
