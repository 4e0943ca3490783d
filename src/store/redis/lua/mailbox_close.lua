#!lua
-- Purpose:   records that the connection of a device was closed: the device is offline from now.
-- KEYS:      1 devices hash
-- ARGV:      1 device  2 connection  3 now  4 retention in ms  5 TTL of the key in ms
-- RETURNS:   OK | OTHER, another connection has superseded this one, or the device is not registered
-- GUARANTEE: OTHER changes nothing. Until the next keepalive the record shows that the device has left: no connection, and `online until`
--            is now.
-- include record
local devices = KEYS[1]
local device, closed, now, retention, ttl = unpack(ARGV)
local text = redis.call('HGET', devices, device)
local seq, tag, sum, birth, epoch, seen, _, connection, auth, requested, listened, status = string.match(text or '', RECORD)
if connection ~= closed or seen + retention < tonumber(now) then return 'OTHER' end
if tonumber(seen) < tonumber(now) then seen = now end
local record = {seq, tag, sum, birth, epoch, seen, now, '', auth, requested, listened, status}
redis.call('HSET', devices, device, table.concat(record, '|'))
redis.call('PEXPIRE', devices, ttl)
return 'OK'
