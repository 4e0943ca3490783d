#!lua
-- Purpose:   records that a device has left a room.
-- KEYS:      1 memberships hash of the user, see membership_add
-- ARGV:      1 device  2 room  3 participant
-- RETURNS:   REMOVED | OTHER, the device is not in the room, or has joined it again as another participant
-- GUARANTEE: OTHER writes nothing. Idempotent.
local memberships = KEYS[1]
local device, room, participant = unpack(ARGV)
local others, is_removed = {}, false
for line in string.gmatch(redis.call('HGET', memberships, device) or '', '[^\n]+') do
  local line_room, line_participant = string.match(line, '^([^\t]*)\t[^\t]*\t(.*)$')
  if line_room == room and line_participant == participant then is_removed = true else others[#others + 1] = line end
end
if not is_removed then return 'OTHER' end
if #others == 0 then redis.call('HDEL', memberships, device)
else redis.call('HSET', memberships, device, table.concat(others, '\n')) end
return 'REMOVED'
