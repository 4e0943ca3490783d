#!lua
-- Purpose:   reads a ticket and renews it.
-- KEYS:      1 tickets hash of the user, see ticket_put
-- ARGV:      1 ticket  2 TTL from now in ms
-- RETURNS:   value | nil, the ticket is unknown or has expired
-- GUARANTEE: an expired ticket is not renewed.
local tickets = KEYS[1]
local ticket, ttl = unpack(ARGV)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local text = redis.call('HGET', tickets, ticket)
local expires_at, device, value = string.match(text or '', '^(%d+)\n([^\n]*)\n(.*)$')
if not expires_at then return false end
if tonumber(expires_at) <= now then
  redis.call('HDEL', tickets, ticket)
  return false
end
redis.call('HSET', tickets, ticket, string.format('%d', now + ttl) .. '\n' .. device .. '\n' .. value)
if redis.call('PTTL', tickets) < tonumber(ttl) then redis.call('PEXPIRE', tickets, ttl) end
return value
