#!lua
-- Purpose:   writes a revocation, or that it was removed, and publishes it to all nodes.
-- KEYS:      1 hash: id → record  2 sorted set: id, by when the record expires  3 string: the head, another one after each write
-- ARGV:      1 id  2 issued after  3 kind: sign_out, tokens or removed  4 at  5 expires at  6 now  7 most records  8 new head  9 channel
--            10 restored: the record is one that a failover has lost; else ''
-- RETURNS:   {OK, record} | {FULL} | {NONE}, there is no revocation to remove
-- GUARANTEE: a revocation never refuses fewer tokens than the one before. A restored record replaces an older one only. Never more than
--            ARGV 7 records, unless restored. FULL and NONE write nothing.
local records, expiries, head = unpack(KEYS)
local id, issued_after, kind, at, expires_at, now, records_max, new_head, channel, restored = unpack(ARGV)
for _, expired in ipairs(redis.call('ZRANGE', expiries, '-inf', now, 'BYSCORE', 'LIMIT', 0, 100)) do
  redis.call('HDEL', records, expired)
  redis.call('ZREM', expiries, expired)
end
local found = redis.call('HGET', records, id)
if found then
  local found_after, found_kind, found_at, found_expires_at = string.match(found, '^(%d+)|([^|]+)|(%d+)|(%d+)$')
  if restored ~= '' then
    if tonumber(found_at) >= tonumber(at) then return {'OK', found} end
  else
    if kind == 'removed' and found_kind == 'removed' then return {'NONE'} end
    local is_stronger = found_kind == 'removed' or tonumber(found_after) < tonumber(issued_after)
    if kind ~= 'removed' and not is_stronger then issued_after, kind = found_after, found_kind end
    at = string.format('%d', math.max(at, found_at + 1))
  end
  expires_at = string.format('%d', math.max(expires_at, found_expires_at))
elseif restored == '' then
  if kind == 'removed' then return {'NONE'} end
  if redis.call('HLEN', records) >= tonumber(records_max) then return {'FULL'} end
end
local record = table.concat({issued_after, kind, at, expires_at}, '|')
local before = redis.call('GET', head) or ''
redis.call('HSET', records, id, record)
redis.call('ZADD', expiries, expires_at, id)
local ttl = math.max(redis.call('PTTL', head), expires_at - now, 1)
redis.call('SET', head, new_head)
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, string.format('%d', ttl)) end
redis.call('SPUBLISH', channel, table.concat({before, new_head, id, record}, '\n'))
return {'OK', record}
