#!lua
-- Purpose:   records the epoch of the server that keeps a partition.
-- KEYS:      1 epoch of the partition
-- ARGV:      none
-- RETURNS:   the epoch
-- GUARANTEE: the server reports its epoch in the same step, so a node that is late cannot set an older one.
-- include epoch
local key, epoch = KEYS[1], epochIn(redis.call('INFO', 'replication'))
if redis.call('GET', key) ~= epoch then redis.call('SET', key, epoch) end
return epoch
