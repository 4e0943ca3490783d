#!lua
-- Purpose:   drops the oldest lines of a log.
-- KEYS:      1 log stream  2 hash of the log's ids
-- ARGV:      1 the newest version that goes
-- RETURNS:   OK
-- GUARANTEE: what is known of their ids goes with them. Idempotent.
for _, line in ipairs(redis.call('XRANGE', KEYS[1], '-', ARGV[1] .. '-0')) do redis.call('HDEL', KEYS[2], line[2][2]) end
redis.call('XTRIM', KEYS[1], 'MINID', (tonumber(ARGV[1]) + 1) .. '-0')
return 'OK'
