#!lua
-- Purpose:   writes the next state of an aggregate if the expected commit still stands, and delivers what the commit says: one step,
--            where all keys lie on one server.
-- KEYS:      1 state hash  2 outbox stream  3 index of timers; then for each user: devices hash  leases  state of the
--            user's presence, if they are watched  epoch of the partition
-- ARGV:      expected version:tag or ''  version:tag  tag  state  deadline or ''  expire in ms or ''; bounds (see mail); charges (see charge);
--            then for each user: prefix of the mailboxes  channel  '1' and a claim (see lease), or ''; '1' and a sign of life (see renew), or '';
--            mail (see mail)
-- RETURNS:   {OK, then for each user {'online  queued  1 if watched', leases held if there was a claim, what mailbox_renew returns}}
--            | {CONFLICT, version:tag, state, outbox} | {CONFLICT}, it does not exist | {WAITING}, mail of earlier commits waits in the outbox
--            | {REFUSED, number of the user whose claim it is, leases held} | {UNKNOWN}, whose sign of life it is has to register
--            | {SPENT, number of the charge}
-- GUARANTEE: nothing is written but on OK; on SPENT and REFUSED what was charged.
-- include arguments
-- include record
-- include mailbox
-- include contact
-- include mail
-- include deliver
-- include quota
-- include charge
-- include lease
-- include renew
local key, outbox, timers = unpack(KEYS)
local expected, stamp, tag, state, deadline, expire = arguments(6)
local found, current, old = unpack(redis.call('HMGET', key, 'v', 's', 'x'))
if (found or '') ~= expected then
  if not found then return {'CONFLICT'} end
  return {'CONFLICT', found, current, redis.call('XRANGE', outbox, '-', '+')}
end
if redis.call('EXISTS', outbox) == 1 then return {'WAITING'} end
readBounds()
local charges, users = readCharges(), {}
for i = 4, #KEYS, 4 do
  local user = {devices = KEYS[i], leases = KEYS[i + 1], presence = KEYS[i + 2], epoch = KEYS[i + 3]}
  user.prefix, user.channel = arguments(2)
  if arguments(1) == '1' then user.claim = readClaim() end
  if arguments(1) == '1' then user.sign = readSign() end
  user.mail = readMail(stamp, tag)
  if user.sign and not renewable(user, user.sign) then return {'UNKNOWN'} end
  users[#users + 1] = user
end
local spent = charge(charges)
if spent then return {'SPENT', spent} end
for i, user in ipairs(users) do
  local granted = true
  if user.claim then granted, user.lease = judgeClaim(user.leases, user.claim) end
  if not granted then return {'REFUSED', i, redis.call('HGETALL', user.leases)} end
end
redis.call('HSET', key, 'v', stamp, 's', state, 'x', expire)
if deadline ~= '' then redis.call('ZADD', timers, deadline, key)
elseif found then redis.call('ZREM', timers, key) end
if expire ~= '' then redis.call('PEXPIRE', key, expire)
elseif old and old ~= '' then redis.call('PERSIST', key) end
local reply = {'OK'}
for i, user in ipairs(users) do
  local held, boxes = user.claim and grant(user.leases, user.claim, user.lease) or {}, {}
  if user.mail.release ~= '' then redis.call('HDEL', user.leases, user.mail.release) end
  put(user, user.mail, boxes, 1)
  local online, queued = wake(user, boxes, 1)
  reply[i + 1] = {online .. ' ' .. queued .. ' ' .. redis.call('EXISTS', user.presence), held, user.sign and renew(user, user.sign) or {}}
end
return reply
