#!lua
-- Purpose:   writes or removes the credential of a device.
-- KEYS:      1 hash of the partition: device → expiry and record, a line each  2 sorted set: device, by expiry
-- ARGV:      1 device  2 the record that is expected; '': none  3 the next one; '': none  4 its expiry  5 now  6 most credentials
-- RETURNS:   OK | CHANGED, another record stands | FULL
-- GUARANTEE: CHANGED and FULL write nothing but the removal of expired credentials.
local credentials, expiries = unpack(KEYS)
local device, expected, record, expires_at, now, credentials_max = unpack(ARGV)
for _, expired in ipairs(redis.call('ZRANGE', expiries, '-inf', now, 'BYSCORE', 'LIMIT', 0, 100)) do
  redis.call('HDEL', credentials, expired)
  redis.call('ZREM', expiries, expired)
end
local found = redis.call('HGET', credentials, device)
local found_expires_at, found_record = string.match(found or '', '^(%d+)\n(.*)$')
if not found_expires_at or tonumber(found_expires_at) <= tonumber(now) then found_record = '' end
if found_record ~= expected then return 'CHANGED' end
if record == '' then
  redis.call('HDEL', credentials, device)
  redis.call('ZREM', expiries, device)
  return 'OK'
end
if not found and redis.call('HLEN', credentials) >= tonumber(credentials_max) then return 'FULL' end
redis.call('HSET', credentials, device, expires_at .. '\n' .. record)
redis.call('ZADD', expiries, expires_at, device)
local keep_ms = expires_at - now
for _, key in ipairs(KEYS) do
  if redis.call('PTTL', key) < keep_ms then redis.call('PEXPIRE', key, string.format('%d', keep_ms)) end
end
return 'OK'
