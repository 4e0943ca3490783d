#!lua
-- Purpose:   keeps the push subscription of a device.
-- KEYS:      1 subscriptions hash of the user: device → expiry and value, a line each
-- ARGV:      1 device  2 value  3 expires at  4 now  5 most subscriptions
-- RETURNS:   OK
-- GUARANTEE: never more than ARGV 5 subscriptions: one more replaces the one that expires first. Expired ones are removed.
local subscriptions = KEYS[1]
local device, value, expires_at, now, subscriptions_max = unpack(ARGV)
redis.call('HDEL', subscriptions, device)
local first, first_expires_at
local found = redis.call('HGETALL', subscriptions)
for i = 1, #found, 2 do
  local other_expires_at = tonumber(string.match(found[i + 1], '^%d+'))
  if other_expires_at <= tonumber(now) then
    redis.call('HDEL', subscriptions, found[i])
  elseif not first or other_expires_at < first_expires_at then
    first, first_expires_at = found[i], other_expires_at
  end
end
if redis.call('HLEN', subscriptions) >= tonumber(subscriptions_max) then redis.call('HDEL', subscriptions, first) end
redis.call('HSET', subscriptions, device, expires_at .. '\n' .. value)
local keep_ms = expires_at - now
if redis.call('PTTL', subscriptions) < keep_ms then redis.call('PEXPIRE', subscriptions, string.format('%d', keep_ms)) end
return 'OK'
