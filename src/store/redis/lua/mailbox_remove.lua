#!lua
-- Purpose:   signs a device off.
-- KEYS:      1 devices hash  2 mailbox  3 tickets hash of the user
-- ARGV:      1 device  2 channel
-- RETURNS:   REMOVED | NONE
-- GUARANTEE: record, mailbox and tickets of the device go together, and its open stream is told.
redis.call('DEL', KEYS[2])
local tickets = redis.call('HGETALL', KEYS[3])
for i = 1, #tickets, 2 do
  if string.match(tickets[i + 1], '^%d+\n([^\n]*)\n') == ARGV[1] then redis.call('HDEL', KEYS[3], tickets[i]) end
end
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 'NONE' end
redis.call('SPUBLISH', ARGV[2], 'gone\n' .. ARGV[1])
return 'REMOVED'
