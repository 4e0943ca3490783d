#!lua
-- Purpose:   takes or renews the fan-out lease, drops the published outbox entries, and returns the next batch.
-- KEYS:      1 outbox stream  2 index of waiting outboxes  3 state hash  4 recipients: a hash or a sorted set
--            5… keys that expire together with KEYS 3 and 4; with 'hash' the first one is a hash of more recipients
-- ARGV:      1 node  2 now  3 lease until  4 version:tag of the newest published entry, or ''  5 most appends  6 most entries
--            7 'hash': all recipients; 'set': a page of them  8 cursor of the page  9 approximate number of recipients on a page
-- RETURNS:   {BATCH, entries, cursor of the next page or '0', recipients and their values or scores in turn} | {IDLE}, the log is empty and
--            the lease is free | {BUSY}, another node holds the lease
-- GUARANTEE: one node at a time holds the lease. BUSY writes nothing. The keys of an ended aggregate begin to expire with its last entry.
-- include fanout
-- include outbox
-- include expire
local outbox, waiting, state, recipients = unpack(KEYS)
local node, now, lease_until, published, appends_max, entries_max, kind, from, page = unpack(ARGV)
local expire_in, lease = unpack(redis.call('HMGET', state, 'x', 'd'))
if (leaseHolder(lease, now) or node) ~= node then return {'BUSY'} end
dropUpTo(outbox, published)
if redis.call('XLEN', outbox) > 0 then
  redis.call('HSET', state, 'd', node .. '|' .. lease_until)
  redis.call('ZADD', waiting, 'XX', now, outbox)
  local cursor, found, count = '0', nil, page
  if kind == 'hash' then
    found = redis.call('HGETALL', recipients)
    for _, text in ipairs(redis.call('HGETALL', KEYS[5])) do found[#found + 1] = text end
    count = math.max(1, #found / 2)
  else
    cursor, found = unpack(redis.call('ZSCAN', recipients, from, 'COUNT', page))
  end
  local limit = math.max(1, math.min(entries_max, math.floor(appends_max / count)))
  return {'BATCH', redis.call('XRANGE', outbox, '-', '+', 'COUNT', limit), cursor, found}
end
redis.call('HDEL', state, 'd')
-- Only the call that drops the last entry starts the expiry; another call for an empty log does not restart it.
if redis.call('DEL', outbox) == 0 then return {'IDLE'} end
redis.call('ZREM', waiting, outbox)
if expire_in and expire_in ~= '' then expireTogether(3, expire_in) end
return {'IDLE'}
