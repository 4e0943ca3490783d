#!lua
-- Purpose:   records the outcome of a ring attempt between a user and a peer.
-- KEYS:      1 string that exists while the user knows the peer  2 back-off of the peer
-- ARGV:      now; a contact update (see contact), which names KEYS again
-- RETURNS:   OK
-- GUARANTEE: both keys have a TTL.
-- include arguments
-- include contact
local now = tonumber(arguments(1))
recordContact(readContactUpdate(), now)
return 'OK'
