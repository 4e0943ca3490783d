#!lua
-- Purpose:   signs a device off.
-- KEYS:      1 devices hash  2 mailbox
-- ARGV:      1 device  2 channel
-- RETURNS:   REMOVED | NONE
-- GUARANTEE: record and mailbox go together, and its open stream is told.
redis.call('DEL', KEYS[2])
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 'NONE' end
redis.call('SPUBLISH', ARGV[2], 'gone\n' .. ARGV[1])
return 'REMOVED'
