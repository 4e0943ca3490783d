#!lua
-- Purpose:   keeps a ticket of a device.
-- KEYS:      1 tickets hash of the user: ticket → expiry, device and value, a line each. Ids and values contain no line break.
-- ARGV:      1 ticket  2 device  3 value  4 TTL in ms  5 most tickets
-- RETURNS:   OK
-- GUARANTEE: never more than ARGV 5 tickets: one more replaces the ticket that expires first.
local tickets = KEYS[1]
local ticket, device, value, ttl, tickets_max = unpack(ARGV)
local time = redis.call('TIME')
local expires_at = time[1] * 1000 + math.floor(time[2] / 1000) + ttl
if redis.call('HLEN', tickets) >= tonumber(tickets_max) then
  local first, first_expires_at
  local found = redis.call('HGETALL', tickets)
  for i = 1, #found, 2 do
    local other_expires_at = tonumber(string.match(found[i + 1], '^%d+'))
    if not first or other_expires_at < first_expires_at then first, first_expires_at = found[i], other_expires_at end
  end
  redis.call('HDEL', tickets, first)
end
redis.call('HSET', tickets, ticket, string.format('%d', expires_at) .. '\n' .. device .. '\n' .. value)
if redis.call('PTTL', tickets) < tonumber(ttl) then redis.call('PEXPIRE', tickets, ttl) end
return 'OK'
