#!lua
-- Purpose:   the connection closed; its device is offline from now.
-- KEYS:      1 devices hash
-- ARGV:      1 device  2 connection  3 now  4 retention  5 ttl of the key
-- RETURNS:   OK | OTHER
-- GUARANTEE: that it left shows in its record (no connection, and a time beside it) until its next sign of life.
--            changes nothing if another connection has claimed the device, or the device is gone.
-- include record
local devices = KEYS[1]
local device, closed, now, retention, ttl = unpack(ARGV)
local text = redis.call('HGET', devices, device)
local seq, tag, sum, birth, epoch, seen, _, connection, auth, requested, status = string.match(text or '', RECORD)
if connection ~= closed or seen + retention < tonumber(now) then return 'OTHER' end
if tonumber(seen) < tonumber(now) then seen = now end
local record = {seq, tag, sum, birth, epoch, seen, now, '', auth, requested, status}
redis.call('HSET', devices, device, table.concat(record, '|'))
redis.call('PEXPIRE', devices, ttl)
return 'OK'
