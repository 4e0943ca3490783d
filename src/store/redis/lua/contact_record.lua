#!lua
-- Purpose:   notes what is said of a peer of a user.
-- KEYS:      1 what is known  2 back-off
-- ARGV:      now; a note (see contact)
-- RETURNS:   OK
-- GUARANTEE: nothing is kept without an end.
-- include arguments
-- include contact
local now = tonumber(arguments(1))
noteContact(readNote(), now)
return 'OK'
