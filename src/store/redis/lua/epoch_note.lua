#!lua
-- Purpose:   notes which replication history of its server the data of a partition stands on.
-- KEYS:      1 epoch of the partition
-- RETURNS:   the epoch
-- GUARANTEE: the server itself is asked in this very step, so a node that is late cannot set the epoch back. A server takes another
-- replication id when it restarts and when it becomes primary, which is when it may lack writes that were acknowledged.
local epoch = string.sub(string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)'), 1, 12)
if redis.call('GET', KEYS[1]) ~= epoch then redis.call('SET', KEYS[1], epoch) end
return epoch
