#!lua
-- Purpose:   records that a device made a request while its stream or poll is open.
-- KEYS:      1 devices hash
-- ARGV:      1 device  2 now
-- RETURNS:   OK | NONE, the device has no open stream or poll, or a later request is recorded
-- GUARANTEE: NONE writes nothing. Registers no device and renews no retention.
-- include record
local devices = KEYS[1]
local device, now = unpack(ARGV)
local text = redis.call('HGET', devices, device)
local seq, tag, sum, birth, epoch, seen, online, connection, auth, requested, listened, status = string.match(text or '', RECORD)
if not seq or connection == '' or tonumber(requested) >= tonumber(now) then return 'NONE' end
local record = {seq, tag, sum, birth, epoch, seen, online, connection, auth, now, listened, status}
redis.call('HSET', devices, device, table.concat(record, '|'))
return 'OK'
