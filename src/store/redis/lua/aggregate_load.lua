#!lua flags=no-writes
-- Purpose:   reads an aggregate and its outbox at one instant.
-- KEYS:      1 state hash  2 outbox stream
-- ARGV:      none
-- RETURNS:   {OK, version:tag, state, outbox entries} | {NONE}, the aggregate does not exist
-- GUARANTEE: writes nothing.
local key, outbox = unpack(KEYS)
local stamp, state = unpack(redis.call('HMGET', key, 'v', 's'))
if not stamp then return {'NONE'} end
return {'OK', stamp, state, redis.call('XRANGE', outbox, '-', '+')}
