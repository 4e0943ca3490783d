#!lua
-- Purpose:   adds lines to a log that keeps the newest.
-- KEYS:      1 list of lines, oldest first
-- ARGV:      1 most lines  2 TTL in ms  3… lines
-- RETURNS:   OK
-- GUARANTEE: never more than ARGV 1 lines. The log has a TTL.
local log = KEYS[1]
local lines_max, ttl = unpack(ARGV, 1, 2)
redis.call('RPUSH', log, unpack(ARGV, 3))
redis.call('LTRIM', log, -lines_max, -1)
redis.call('PEXPIRE', log, ttl)
return 'OK'
