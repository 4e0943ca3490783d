#!lua
-- Purpose:   reads what a call of a peer to a user depends on.
-- KEYS:      1 string that exists while the user knows the peer  2 back-off of the peer
--            3 sorted set: blocked user, by the last use of the block  4 devices hash  5 memberships hash
-- ARGV:      1 peer  2 now  3 retention of a device in ms  4 ms after which an unused block expires
--            5 ms for which the use of a block is not recorded again
-- RETURNS:   {1 if blocked, 1 if known, 'failures|retry at' or '', 1 if a device is registered, memberships of each device}
-- GUARANTEE: writes nothing but the use of the block.
-- include record
local known, backoff, blocks, devices, memberships = unpack(KEYS)
local peer, now, retention, unused_ms, record_every_ms = unpack(ARGV)
local used_at = tonumber(redis.call('ZSCORE', blocks, peer) or nil)
local is_blocked = used_at and used_at + unused_ms > tonumber(now)
if is_blocked and now - used_at > tonumber(record_every_ms) then
  redis.call('ZADD', blocks, 'XX', now, peer)
  redis.call('PEXPIRE', blocks, unused_ms)
end
local is_reachable = 0
for _, record in ipairs(redis.call('HVALS', devices)) do
  local _, _, _, _, seen = string.match(record, RECORD_HEAD)
  if seen and seen + retention >= tonumber(now) then is_reachable = 1 end
end
local is_known, waits = redis.call('EXISTS', known), redis.call('GET', backoff) or ''
return {is_blocked and 1 or 0, is_known, waits, is_reachable, redis.call('HVALS', memberships)}
