#!lua
-- Purpose:   reads an aggregate and what it has not dispatched, as of one instant.
-- KEYS:      1 state hash  2 outbox stream
-- RETURNS:   {OK, version, state, outbox} | {NONE}
-- GUARANTEE: writes nothing.
local version, state = unpack(redis.call('HMGET', KEYS[1], 'v', 's'))
if not version then return {'NONE'} end
return {'OK', tonumber(version), state, redis.call('XRANGE', KEYS[2], '-', '+')}
