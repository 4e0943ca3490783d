#!lua
-- Purpose:   writes the next state of an aggregate if the expected commit still stands, and delivers what the commit says: one step,
--            where all keys lie on one server.
-- KEYS:      1 state hash  2 outbox stream  3 timers; then for each user the four keys of mailbox_append
-- ARGV:      expected version:tag or ''  version:tag  tag  state  deadline or ''  expire in ms or ''  member; bounds (see mail);
--            then for each user: prefix of the mailboxes  channel  mail (see mail)
-- RETURNS:   {OK, then for each user what mailbox_append returns} | {CONFLICT, version:tag, state, outbox} | {CONFLICT}, it does not exist
--            | {WAITING}, mail of earlier commits waits in the outbox
-- GUARANTEE: nothing is written but on OK.
-- include arguments
-- include record
-- include mailbox
-- include taken
-- include mail
-- include deliver
local key, outbox, timers = unpack(KEYS)
local expected, stamp, tag, state, deadline, expire, member = arguments(7)
local found, current, old = unpack(redis.call('HMGET', key, 'v', 's', 'x'))
if (found or '') ~= expected then
  if not found then return {'CONFLICT'} end
  return {'CONFLICT', found, current, redis.call('XRANGE', outbox, '-', '+')}
end
if redis.call('EXISTS', outbox) == 1 then return {'WAITING'} end
redis.call('HSET', key, 'v', stamp, 's', state, 'x', expire)
if deadline ~= '' then redis.call('ZADD', timers, deadline, member)
elseif found then redis.call('ZREM', timers, member) end
if expire ~= '' then redis.call('PEXPIRE', key, expire)
elseif old and old ~= '' then redis.call('PERSIST', key) end
readBounds()
local reply = {'OK'}
for i = 4, #KEYS, 4 do
  local prefix, channel = arguments(2)
  local user = {devices = KEYS[i], taken = KEYS[i + 1], leases = KEYS[i + 2], prefix = prefix, channel = channel}
  local status, online, queued = deliver(user, {readMail(stamp, tag)})
  reply[#reply + 1] = table.concat({status, online, queued, redis.call('EXISTS', KEYS[i + 3])}, ' ')
end
return reply
