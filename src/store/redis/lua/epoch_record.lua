#!lua
-- Purpose:   notes which replication history of its server the data of a partition stands on.
-- KEYS:      1 epoch of the partition
-- RETURNS:   the epoch
-- GUARANTEE: the server itself is asked in this very step, so a node that is late cannot set the epoch back.
-- include epoch
local key, epoch = KEYS[1], epochIn(redis.call('INFO', 'replication'))
if redis.call('GET', key) ~= epoch then redis.call('SET', key, epoch) end
return epoch
