#!lua
-- Purpose:   signs a device off.
-- KEYS:      1 devices hash  2 mailbox  3 tickets hash of the user  4 push subscriptions hash of the user
-- ARGV:      1 device  2 channel
-- RETURNS:   REMOVED | NONE, the device was not registered
-- GUARANTEE: removes the record, the mailbox, the tickets and the push subscription of the device together. REMOVED wakes its open stream.
local devices, mailbox, tickets, subscriptions = unpack(KEYS)
local device, channel = unpack(ARGV)
redis.call('DEL', mailbox)
redis.call('HDEL', subscriptions, device)
local found = redis.call('HGETALL', tickets)
for i = 1, #found, 2 do
  if string.match(found[i + 1], '^%d+\n([^\n]*)\n') == device then redis.call('HDEL', tickets, found[i]) end
end
if redis.call('HDEL', devices, device) == 0 then return 'NONE' end
redis.call('SPUBLISH', channel, 'gone\n' .. device)
return 'REMOVED'
