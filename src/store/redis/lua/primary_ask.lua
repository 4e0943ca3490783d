#!lua
-- Purpose:   asks a primary whether it accepts writes, for its time, its epoch, and whether it is a node of a Cluster.
-- KEYS:      1 any key of a partition of this primary
-- ARGV:      none
-- RETURNS:   {seconds, microseconds, epoch, 1 for a node of a Cluster, else 0}
-- GUARANTEE: writes nothing. It has no flag no-writes, so Redis refuses to run it whenever it refuses writes (OOM, NOREPLICAS, MISCONF,
--            READONLY).
-- include epoch
local time, info = redis.call('TIME'), redis.call('INFO', 'replication', 'cluster')
return {time[1], time[2], epochIn(info), string.find(info, 'cluster_enabled:1', 1, true) and 1 or 0}
