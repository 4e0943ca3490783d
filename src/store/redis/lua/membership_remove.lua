#!lua
-- Purpose:   forgets that a user's device was in a room.
-- KEYS:      1 the user's memberships, see membership_add
-- ARGV:      1 device  2 room  3 participant
-- RETURNS:   REMOVED | OTHER
-- GUARANTEE: changes nothing if the device is in the room as another participant by now. Idempotent.
local memberships = KEYS[1]
local device, room, participant = unpack(ARGV)
local others, removed = {}, false
for line in string.gmatch(redis.call('HGET', memberships, device) or '', '[^\n]+') do
  local its_room, its_participant = string.match(line, '^([^\t]*)\t[^\t]*\t(.*)$')
  if its_room == room and its_participant == participant then removed = true else others[#others + 1] = line end
end
if not removed then return 'OTHER' end
if #others == 0 then redis.call('HDEL', memberships, device)
else redis.call('HSET', memberships, device, table.concat(others, '\n')) end
return 'REMOVED'
