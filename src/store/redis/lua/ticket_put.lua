#!lua
-- Purpose:   keeps a ticket of a device.
-- KEYS:      1 tickets hash of the user
-- ARGV:      1 ticket  2 device  3 value  4 ttl  5 most tickets
-- RETURNS:   OK
-- GUARANTEE: the user never has more than ARGV 5 tickets: when there are as many, the one that lapses first goes.
-- A ticket is kept as `until\ndevice\nvalue`; ids and the secret contain no line break.
local tickets = KEYS[1]
local ticket, device, value, ttl, most = unpack(ARGV)
local time = redis.call('TIME')
local lapses_at = time[1] * 1000 + math.floor(time[2] / 1000) + ttl
if redis.call('HLEN', tickets) >= tonumber(most) then
  local first, first_lapses_at
  local found = redis.call('HGETALL', tickets)
  for i = 1, #found, 2 do
    local lapses = tonumber(string.match(found[i + 1], '^%d+'))
    if not first or lapses < first_lapses_at then first, first_lapses_at = found[i], lapses end
  end
  redis.call('HDEL', tickets, first)
end
redis.call('HSET', tickets, ticket, string.format('%d', lapses_at) .. '\n' .. device .. '\n' .. value)
if redis.call('PTTL', tickets) < tonumber(ttl) then redis.call('PEXPIRE', tickets, ttl) end
return 'OK'
