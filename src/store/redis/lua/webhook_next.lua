#!lua
-- Purpose:   takes or renews the delivery lease of a webhook queue, removes what was delivered or has expired, and returns the next batch.
-- KEYS:      1 queue (see webhooks)  2 index of timers
-- ARGV:      1 node  2 now  3 lease until  4 newest delivered event: number|version:tag|index, or ''  5 most events
-- RETURNS:   {BATCH, number of the first event, failed attempts, dropped events, texts of the events} | {IDLE}, the queue is empty
--            | {BUSY}, another node has the lease, or the back-off is not over
-- GUARANTEE: one node at a time has the lease. BUSY writes nothing. An empty queue is deleted. Until the lease ends the queue is not due.
-- include webhook_lease
-- include webhook_counts
local queue, timers = unpack(KEYS)
local node, now, lease_until, done, limit = unpack(ARGV)
local first, after_last, lease, attempts, dropped = unpack(redis.call('HMGET', queue, 'h', 't', 'l', 'a', 'd'))
if not first then return {'IDLE'} end
if not isFree(lease, node, now) then return {'BUSY'} end
local is_done
first, is_done = removeDone(queue, first, done)
if is_done then attempts = 0 end
while first < tonumber(after_last) do
  local text = redis.call('HGET', queue, string.format('%d', first))
  local expires_at = text and tonumber(string.match(text, '^[^|]*|%d+|(%d*)|'))
  if text and (not expires_at or expires_at > tonumber(now)) then break end
  redis.call('HDEL', queue, string.format('%d', first))
  first = first + 1
end
if first >= tonumber(after_last) then
  redis.call('DEL', queue)
  removeFromIndex(timers, queue)
  return {'IDLE'}
end
redis.call('HSET', queue, 'h', string.format('%d', first), 'l', node .. '|' .. lease_until, 'a', attempts or 0)
if dropped then redis.call('HDEL', queue, 'd') end
addQueue(timers, lease_until, queue)
local numbers = {}
for number = first, math.min(first + limit, after_last) - 1 do numbers[#numbers + 1] = string.format('%d', number) end
return {'BATCH', first, tonumber(attempts or 0), tonumber(dropped or 0), redis.call('HMGET', queue, unpack(numbers))}
