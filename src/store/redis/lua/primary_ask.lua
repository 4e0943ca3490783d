#!lua
-- Purpose:   asks a primary whether it takes writes, and what time it is there.
-- KEYS:      1 any key of a partition that it serves
-- ARGV:      none
-- RETURNS:   {seconds, microseconds}
-- GUARANTEE: writes nothing. Redis refuses it whenever it refuses writes (OOM, NOREPLICAS, MISCONF, READONLY), because it does
--            not say that it is one without.
return redis.call('TIME')
