#!lua
-- Purpose:   the connection closed; its device is offline from now.
-- KEYS:      1 devices hash
-- ARGV:      1 device  2 connection  3 now  4 retention  5 ttl of the key
-- RETURNS:   OK | OTHER
-- GUARANTEE: that it left shows in its record (no connection, and a time beside it) until its next sign of life.
--            changes nothing if another connection has claimed the device, or the device is gone.
-- include record
local text = redis.call('HGET', KEYS[1], ARGV[1])
local seq, tag, sum, birth, epoch, seen, _, connection, auth, requested, status = string.match(text or '', RECORD)
if connection ~= ARGV[2] or seen + ARGV[4] < tonumber(ARGV[3]) then return 'OTHER' end
if tonumber(seen) < tonumber(ARGV[3]) then seen = ARGV[3] end
local record = {seq, tag, sum, birth, epoch, seen, ARGV[3], '', auth, requested, status}
redis.call('HSET', KEYS[1], ARGV[1], table.concat(record, '|'))
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 'OK'
