#!lua
-- Purpose:   removes the oldest entries of a room's log.
-- KEYS:      1 log stream  2 hash of the log's ids
-- ARGV:      1 version and  2 id of the newest entry to remove
-- RETURNS:   OK
-- GUARANTEE: the ids of the entries are removed with them. Removes nothing if that entry is not in the log: it was removed before, or a
--            failover lost it and the versions stand for other entries now. Idempotent.
local log, ids = unpack(KEYS)
local version, id = unpack(ARGV)
local entries = redis.call('XRANGE', log, '-', version .. '-0')
local newest = entries[#entries]
if not newest or newest[1] ~= version .. '-0' or newest[2][2] ~= id then return 'OK' end
for _, entry in ipairs(entries) do redis.call('HDEL', ids, entry[2][2]) end
redis.call('XTRIM', log, 'MINID', string.format('%d-0', version + 1))
return 'OK'
