#!lua
-- Purpose:   keeps what could not be delivered, once.
-- KEYS:      1 letters: a stream  2 their ids, by when they came
-- ARGV:      1 id  2 letter  3 most that are kept  4 now
-- RETURNS:   OK | KNOWN
-- GUARANTEE: of both so many are kept, the newest. Nothing is written on KNOWN.
local letters, ids = unpack(KEYS)
local id, letter, most, now = unpack(ARGV)
if redis.call('ZADD', ids, 'NX', now, id) == 0 then return 'KNOWN' end
redis.call('ZREMRANGEBYRANK', ids, 0, -1 - most)
redis.call('XADD', letters, 'MAXLEN', most, '*', 'letter', letter)
return 'OK'
