#!lua flags=no-writes
-- Purpose:   reads an aggregate and what it has not dispatched, as of one instant.
-- KEYS:      1 state hash  2 outbox stream
-- RETURNS:   {OK, version:tag, state, outbox} | {NONE}
-- GUARANTEE: writes nothing.
local stamp, state = unpack(redis.call('HMGET', KEYS[1], 'v', 's'))
if not stamp then return {'NONE'} end
return {'OK', stamp, state, redis.call('XRANGE', KEYS[2], '-', '+')}
