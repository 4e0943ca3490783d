#!lua
-- Purpose:   keeps a dead letter.
-- KEYS:      1 stream of letters  2 sorted set: id of a letter, by when it was added
-- ARGV:      1 id  2 letter  3 most letters  4 now
-- RETURNS:   OK | KNOWN, a letter with this id was added before
-- GUARANTEE: KNOWN writes nothing. The newest ARGV 3 letters and ids are kept.
local letters, ids = unpack(KEYS)
local id, letter, letters_max, now = unpack(ARGV)
if redis.call('ZADD', ids, 'NX', now, id) == 0 then return 'KNOWN' end
redis.call('ZREMRANGEBYRANK', ids, 0, -1 - letters_max)
redis.call('XADD', letters, 'MAXLEN', letters_max, '*', 'letter', letter)
return 'OK'
