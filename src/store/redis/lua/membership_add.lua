#!lua
-- Purpose:   remembers that a user's device is in a room.
-- KEYS:      1 the user's memberships: device → lines, each room  added at  participant, between tabs
-- ARGV:      1 device  2 room  3 line  4 most rooms  5 ttl
-- RETURNS:   OK | FULL, it is in that many others
-- GUARANTEE: nothing is written on FULL. Never remembered without an end. Idempotent.
local lines = {}
for line in string.gmatch(redis.call('HGET', KEYS[1], ARGV[1]) or '', '[^\n]+') do
  if string.match(line, '^[^\t]*') ~= ARGV[2] then lines[#lines + 1] = line end
end
if #lines >= tonumber(ARGV[4]) then return 'FULL' end
lines[#lines + 1] = ARGV[3]
redis.call('HSET', KEYS[1], ARGV[1], table.concat(lines, '\n'))
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 'OK'
