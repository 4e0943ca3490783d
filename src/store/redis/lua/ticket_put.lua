#!lua
-- Purpose:   keeps a ticket of a device.
-- KEYS:      1 tickets hash of the user
-- ARGV:      1 ticket  2 device  3 value  4 ttl  5 most tickets
-- RETURNS:   OK
-- GUARANTEE: the user never has more than ARGV 5 tickets: when there are as many, the one that lapses first goes.
-- A ticket is kept as `until\ndevice\nvalue`; ids and the secret contain no line break.
local time = redis.call('TIME')
local until_ms = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[4]
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[5]) then
  local first, first_until
  local tickets = redis.call('HGETALL', KEYS[1])
  for i = 1, #tickets, 2 do
    local lapses = tonumber(string.match(tickets[i + 1], '^%d+'))
    if not first or lapses < first_until then first, first_until = tickets[i], lapses end
  end
  redis.call('HDEL', KEYS[1], first)
end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d', until_ms) .. '\n' .. ARGV[2] .. '\n' .. ARGV[3])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then redis.call('PEXPIRE', KEYS[1], ARGV[4]) end
return 'OK'
