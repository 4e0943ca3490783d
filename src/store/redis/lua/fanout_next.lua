#!lua
-- Purpose:   renews the fan-out lease, drops the outbox entries that were published, and hands out the next ones with a page of recipients.
-- KEYS:      1 state hash  2 outbox stream  3 index of outboxes that wait  4 recipients  5… keys that expire with the state
-- ARGV:      1 node  2 now  3 lease until  4 version:tag of the newest published entry, or ''  5 most appends  6 most entries
--            7 HGETALL for all recipients, or ZSCAN for a page  8 cursor of the page  9 recipients of a page, about
-- RETURNS:   {BATCH, entries, cursor of the next page or '0', recipients and their values in turn} | {IDLE} | {BUSY}
-- GUARANTEE: one node at a time holds the lease; nothing is written on BUSY. On IDLE nothing waits and the lease is free. A state that
-- is over begins to expire with its last entry.
-- include fanout
-- include outbox
local state, outbox, pending, recipients = unpack(KEYS)
local node, now, till, published = unpack(ARGV)
local expire, lease = unpack(redis.call('HMGET', state, 'x', 'd'))
if (leaseHolder(lease, now) or node) ~= node then return {'BUSY'} end
dropUpTo(outbox, published)
if redis.call('XLEN', outbox) > 0 then
  redis.call('HSET', state, 'd', node .. '|' .. till)
  redis.call('ZADD', pending, 'XX', now, outbox)
  local cursor, found, count = '0', nil, tonumber(ARGV[9])
  if ARGV[7] == 'HGETALL' then
    found = redis.call('HGETALL', recipients)
    count = math.max(1, #found / 2)
  else
    cursor, found = unpack(redis.call('ZSCAN', recipients, ARGV[8], 'COUNT', count))
  end
  local limit = math.max(1, math.min(tonumber(ARGV[6]), math.floor(ARGV[5] / count)))
  return {'BATCH', redis.call('XRANGE', outbox, '-', '+', 'COUNT', limit), cursor, found}
end
redis.call('HDEL', state, 'd')
-- Only who drops the last entry starts the time: asking again does not start it anew.
if redis.call('DEL', outbox) == 0 then return {'IDLE'} end
redis.call('ZREM', pending, outbox)
if expire and expire ~= '' then
  for i, key in ipairs(KEYS) do
    if i == 1 or i > 3 then redis.call('PEXPIRE', key, expire) end
  end
end
return {'IDLE'}
