#!lua
-- Purpose:   removes the push subscription of a device.
-- KEYS:      1 subscriptions hash of the user, see push_subscription_put
-- ARGV:      1 device  2 its value; left out: whatever it is
-- RETURNS:   REMOVED | OTHER, the device has none or one with another value
-- GUARANTEE: a subscription that has replaced the named one stays.
local subscriptions = KEYS[1]
local device, value = unpack(ARGV)
local found = redis.call('HGET', subscriptions, device)
if not found or (value and string.match(found, '^%d+\n(.*)$') ~= value) then return 'OTHER' end
redis.call('HDEL', subscriptions, device)
return 'REMOVED'
