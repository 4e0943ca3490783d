#!lua
-- Purpose:   drops the oldest lines of a log.
-- KEYS:      1 log stream  2 hash of the log's ids
-- ARGV:      1 version and  2 id of the newest line that goes
-- RETURNS:   OK
-- GUARANTEE: what is known of their ids goes with them. Nothing goes if that line is not there: it has gone, or a failover forgot
--            it and other lines stand under these versions now. Idempotent.
local log, ids = unpack(KEYS)
local version, id = unpack(ARGV)
local lines = redis.call('XRANGE', log, '-', version .. '-0')
local newest = lines[#lines]
if not newest or newest[1] ~= version .. '-0' or newest[2][2] ~= id then return 'OK' end
for _, line in ipairs(lines) do redis.call('HDEL', ids, line[2][2]) end
redis.call('XTRIM', log, 'MINID', string.format('%d-0', version + 1))
return 'OK'
