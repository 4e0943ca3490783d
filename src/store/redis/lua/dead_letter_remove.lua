#!lua
-- Purpose:   removes a dead letter.
-- KEYS:      1 hash: id of a letter → letter  2 sorted set: id of a letter, by when it was added
-- ARGV:      1 id
-- RETURNS:   REMOVED | NONE, there is no such letter
-- GUARANTEE: idempotent.
local letters, ids = unpack(KEYS)
local id = ARGV[1]
redis.call('ZREM', ids, id)
return redis.call('HDEL', letters, id) == 1 and 'REMOVED' or 'NONE'
