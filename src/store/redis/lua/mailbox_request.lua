#!lua
-- Purpose:   the device made a request while its stream or poll is open.
-- KEYS:      1 devices hash
-- ARGV:      1 device  2 now
-- RETURNS:   OK | NONE
-- GUARANTEE: registers nothing, renews nothing, and changes nothing without an open stream or poll.
-- include record
local text = redis.call('HGET', KEYS[1], ARGV[1])
local seq, tag, sum, birth, epoch, seen, online, connection, auth, requested, status = string.match(text or '', RECORD)
if not seq or connection == '' or tonumber(requested) >= tonumber(ARGV[2]) then return 'NONE' end
local record = {seq, tag, sum, birth, epoch, seen, online, connection, auth, ARGV[2], status}
redis.call('HSET', KEYS[1], ARGV[1], table.concat(record, '|'))
return 'OK'
