#!lua
-- Purpose:   reads how a user stands to a peer who calls them.
-- KEYS:      1 what is known  2 back-off  3 blocks: peer by when the block was used  4 devices hash  5 memberships
-- ARGV:      1 peer  2 now  3 retention of a device  4 unused for this long, a block goes  5 a use is noted once in so long
-- RETURNS:   {1 if blocked, 1 if known, failures|retry at or '', 1 if a device is registered, memberships}
-- GUARANTEE: writes nothing but the use of the block.
-- include record
local known, backoff, blocks, devices, memberships = unpack(KEYS)
local peer, now, retention, unused, noted = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local used = tonumber(redis.call('ZSCORE', blocks, peer) or nil)
local isBlocked = used and used + unused > now
if isBlocked and now - used > noted then
  redis.call('ZADD', blocks, 'XX', ARGV[2], peer)
  redis.call('PEXPIRE', blocks, ARGV[4])
end
local isReachable = 0
for _, record in ipairs(redis.call('HVALS', devices)) do
  local _, _, _, _, seen = string.match(record, RECORD_HEAD)
  if seen and seen + retention >= now then isReachable = 1 end
end
return {isBlocked and 1 or 0, redis.call('EXISTS', known), redis.call('GET', backoff) or '', isReachable, redis.call('HVALS', memberships)}
