#!lua
-- Purpose:   forgets that a user's device was in a room.
-- KEYS:      1 the user's memberships, see membership_add
-- ARGV:      1 device  2 room  3 participant
-- RETURNS:   REMOVED | OTHER
-- GUARANTEE: changes nothing if the device is in the room as another participant by now. Idempotent.
local lines, removed = {}, false
for line in string.gmatch(redis.call('HGET', KEYS[1], ARGV[1]) or '', '[^\n]+') do
  local room, participant = string.match(line, '^([^\t]*)\t[^\t]*\t(.*)$')
  if room == ARGV[2] and participant == ARGV[3] then removed = true else lines[#lines + 1] = line end
end
if not removed then return 'OTHER' end
if #lines == 0 then redis.call('HDEL', KEYS[1], ARGV[1]) else redis.call('HSET', KEYS[1], ARGV[1], table.concat(lines, '\n')) end
return 'REMOVED'
