#!lua
-- Purpose:   ends the delivery lease of a webhook queue after a delivery that failed.
-- KEYS:      1 queue (see webhooks)  2 index of timers
-- ARGV:      1 node  2 newest delivered event: number|version:tag|index, or ''  3 failed attempts  4 when the back-off is over
-- RETURNS:   OK | LOST, another node has the lease, or the queue does not exist
-- GUARANTEE: LOST writes nothing. No node gets the lease before the back-off is over, when the queue is due.
-- include webhook_lease
-- include webhook_counts
local queue, timers = unpack(KEYS)
local node, done, attempts, retry_at = unpack(ARGV)
local first, lease = unpack(redis.call('HMGET', queue, 'h', 'l'))
if string.match(lease or '', '^(.*)|%d+$') ~= node then return 'LOST' end
first = removeDone(queue, first, done)
redis.call('HSET', queue, 'h', string.format('%d', first), 'l', '|' .. retry_at, 'a', attempts)
addQueue(timers, retry_at, queue)
return 'OK'
