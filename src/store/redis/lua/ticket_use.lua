#!lua
-- Purpose:   looks a ticket up, and renews it.
-- KEYS:      1 tickets hash of the user
-- ARGV:      1 ticket  2 ttl from now
-- RETURNS:   the ticket's value | nil when it is unknown or has lapsed
-- GUARANTEE: a ticket that has lapsed is not renewed.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local text = redis.call('HGET', KEYS[1], ARGV[1])
local lapses, device, value = string.match(text or '', '^(%d+)\n([^\n]*)\n(.*)$')
if not lapses then return false end
if tonumber(lapses) <= now then
  redis.call('HDEL', KEYS[1], ARGV[1])
  return false
end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d', now + ARGV[2]) .. '\n' .. device .. '\n' .. value)
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return value
