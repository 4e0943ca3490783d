#!lua
-- Purpose:   reads parts of a room, as of one instant.
-- KEYS:      1 state hash  2 outbox stream  3 seats hash
-- ARGV:      fields of the state hash; none: all
-- RETURNS:   {OK, version, taken seats, id of the oldest outbox entry or '', fields} | {NONE}
--            fields: the values in the order of ARGV, nil where there is none; of all: names and values in turn
-- GUARANTEE: writes nothing.
local version = redis.call('HGET', KEYS[1], 'v')
if not version then return {'NONE'} end
local fields = #ARGV > 0 and redis.call('HMGET', KEYS[1], unpack(ARGV)) or redis.call('HGETALL', KEYS[1])
local first = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
return {'OK', tonumber(version), redis.call('HLEN', KEYS[3]), first and first[1] or '', fields}
