#!lua
-- Purpose:   drops the delivered entries of an outbox.
-- KEYS:      1 outbox stream  2 index of waiting outboxes  3 state hash
-- ARGV:      1 version:tag of the newest delivered entry
-- RETURNS:   WAITING, newer entries are left | SETTLED
-- GUARANTEE: what dropUpTo in outbox says. The state of an ended aggregate begins to expire with its last entry. Idempotent.
-- include outbox
local outbox, waiting, state = unpack(KEYS)
local delivered = ARGV[1]
dropUpTo(outbox, delivered)
local oldest = redis.call('XRANGE', outbox, '-', '+', 'COUNT', 1)[1]
if oldest then
  redis.call('ZADD', waiting, 'XX', oldest[2][4], outbox)
  return 'WAITING'
end
redis.call('DEL', outbox)
redis.call('ZREM', waiting, outbox)
local expire_in = redis.call('HGET', state, 'x')
if expire_in and expire_in ~= '' then redis.call('PEXPIRE', state, expire_in) end
return 'SETTLED'
