#!lua
-- Purpose:   records that a device is in a room.
-- KEYS:      1 memberships hash of the user: device → a line for each room: room, added at and participant, separated by tabs
-- ARGV:      1 device  2 room  3 line  4 most rooms  5 TTL in ms
-- RETURNS:   OK | FULL, the device is in that many other rooms
-- GUARANTEE: FULL writes nothing. The key has a TTL. Idempotent.
local memberships = KEYS[1]
local device, room, new_line, rooms_max, ttl = unpack(ARGV)
local lines = {}
for line in string.gmatch(redis.call('HGET', memberships, device) or '', '[^\n]+') do
  if string.match(line, '^[^\t]*') ~= room then lines[#lines + 1] = line end
end
if #lines >= tonumber(rooms_max) then return 'FULL' end
lines[#lines + 1] = new_line
redis.call('HSET', memberships, device, table.concat(lines, '\n'))
redis.call('PEXPIRE', memberships, ttl)
return 'OK'
