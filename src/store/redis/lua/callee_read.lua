#!lua
-- Purpose:   reads what a call of a peer to a user depends on.
-- KEYS:      1 string that exists while the user knows the peer  2 back-off of the peer
--            3 sorted set: blocked user, by the last use of the block  4 devices hash  5 memberships hash  6 push subscriptions hash
-- ARGV:      1 peer  2 now  3 retention of a device in ms  4 ms after which an unused block expires
--            5 ms for which the use of a block is not recorded again
-- RETURNS:   {1 if blocked, 1 if known, 'failures|retry at' or '', 1 if a device is registered, memberships of each device,
--            devices that are online, devices with a push subscription}
-- GUARANTEE: writes nothing but the use of the block.
-- include record
local known, backoff, blocks, devices, memberships, subscriptions = unpack(KEYS)
local peer, now, retention, unused_ms, record_every_ms = unpack(ARGV)
local used_at = tonumber(redis.call('ZSCORE', blocks, peer) or nil)
local is_blocked = used_at and used_at + unused_ms > tonumber(now)
if is_blocked and now - used_at > tonumber(record_every_ms) then
  redis.call('ZADD', blocks, 'XX', now, peer)
  redis.call('PEXPIRE', blocks, unused_ms)
end
local is_reachable, online, subscribed = 0, {}, {}
local records = redis.call('HGETALL', devices)
for i = 1, #records, 2 do
  local _, _, _, _, seen, online_until, connection = string.match(records[i + 1], RECORD_HEAD)
  if seen and seen + retention >= tonumber(now) then
    is_reachable = 1
    if connection ~= '' and tonumber(online_until) > tonumber(now) then table.insert(online, records[i]) end
  end
end
local values = redis.call('HGETALL', subscriptions)
for i = 1, #values, 2 do
  if tonumber(string.match(values[i + 1], '^%d+')) > tonumber(now) then table.insert(subscribed, values[i]) end
end
local is_known, waits = redis.call('EXISTS', known), redis.call('GET', backoff) or ''
return {is_blocked and 1 or 0, is_known, waits, is_reachable, redis.call('HVALS', memberships), online, subscribed}
