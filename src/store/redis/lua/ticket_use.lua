#!lua
-- Purpose:   looks a ticket up, and renews it.
-- KEYS:      1 tickets hash of the user
-- ARGV:      1 ticket  2 ttl from now
-- RETURNS:   the ticket's value | nil when it is unknown or has lapsed
-- GUARANTEE: a ticket that has lapsed is not renewed.
local tickets = KEYS[1]
local ticket, ttl = unpack(ARGV)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local text = redis.call('HGET', tickets, ticket)
local lapses, device, value = string.match(text or '', '^(%d+)\n([^\n]*)\n(.*)$')
if not lapses then return false end
if tonumber(lapses) <= now then
  redis.call('HDEL', tickets, ticket)
  return false
end
redis.call('HSET', tickets, ticket, string.format('%d', now + ttl) .. '\n' .. device .. '\n' .. value)
if redis.call('PTTL', tickets) < tonumber(ttl) then redis.call('PEXPIRE', tickets, ttl) end
return value
