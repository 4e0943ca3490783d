#!lua
-- Purpose:   keeps what could not be delivered, once.
-- KEYS:      1 letters: a stream  2 their ids, by when they came
-- ARGV:      1 id  2 letter  3 most that are kept  4 now
-- RETURNS:   OK | KNOWN
-- GUARANTEE: of both so many are kept, the newest. Nothing is written on KNOWN.
if redis.call('ZADD', KEYS[2], 'NX', ARGV[4], ARGV[1]) == 0 then return 'KNOWN' end
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - ARGV[3])
redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[3], '*', 'letter', ARGV[2])
return 'OK'
