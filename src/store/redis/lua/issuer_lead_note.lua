#!lua
-- Purpose:   remembers by how much a clock of an issuer of tokens is ahead.
-- KEYS:      1 sorted set: lead in ms, by when it is forgotten
-- ARGV:      1 lead in ms  2 now  3 TTL in ms
-- RETURNS:   OK
-- GUARANTEE: each lead is kept for ARGV 3 after it was last noted.
local leads = KEYS[1]
local lead, now, ttl = unpack(ARGV)
redis.call('ZREMRANGEBYSCORE', leads, '-inf', now)
redis.call('ZADD', leads, now + ttl, lead)
redis.call('PEXPIRE', leads, ttl)
return 'OK'
