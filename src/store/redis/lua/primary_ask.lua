#!lua
-- Purpose:   asks a primary whether it takes writes, what time it is there, and what it says of itself.
-- KEYS:      1 any key of a partition that it serves
-- ARGV:      none
-- RETURNS:   {seconds, microseconds, epoch, 1 if it is a node of a Cluster, else 0}
-- GUARANTEE: writes nothing. Redis refuses it whenever it refuses writes (OOM, NOREPLICAS, MISCONF, READONLY), because it does
--            not say that it is one without.
-- include epoch
local time, info = redis.call('TIME'), redis.call('INFO', 'replication', 'cluster')
return {time[1], time[2], epochIn(info), string.find(info, 'cluster_enabled:1', 1, true) and 1 or 0}
