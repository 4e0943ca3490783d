#!lua
-- Purpose:   remembers that a user's device is in a room.
-- KEYS:      1 the user's memberships: device → lines, each room  added at  participant, between tabs
-- ARGV:      1 device  2 room  3 line  4 most rooms  5 ttl
-- RETURNS:   OK | FULL, it is in that many others
-- GUARANTEE: nothing is written on FULL. Never remembered without an end. Idempotent.
local memberships = KEYS[1]
local device, room, added, most, ttl = unpack(ARGV)
local lines = {}
for line in string.gmatch(redis.call('HGET', memberships, device) or '', '[^\n]+') do
  if string.match(line, '^[^\t]*') ~= room then lines[#lines + 1] = line end
end
if #lines >= tonumber(most) then return 'FULL' end
lines[#lines + 1] = added
redis.call('HSET', memberships, device, table.concat(lines, '\n'))
redis.call('PEXPIRE', memberships, ttl)
return 'OK'
