#!lua
-- Purpose:   writes the next state of an aggregate if the expected commit still stands, and delivers what the commit says: one step,
--            where all keys lie on one server.
-- KEYS:      1 state hash  2 outbox stream  3 index of timers; then for each user: devices hash  leases  state of the
--            user's presence, if they are watched  epoch of the partition
-- ARGV:      expected version:tag or ''  version:tag  tag  state  deadline or ''  expire in ms or ''; bounds (see mail); charges (see charge);
--            then for each user: prefix of the mailboxes  channel  '1' and a claim (see lease), or ''; '1' and a sign of life (see renew), or '';
--            mail (see mail)
-- RETURNS:   {OK, then for each user {'online  queued  1 if their leases changed and they are watched', leases held if there was a claim, what mailbox_renew returns}}
--            | {CONFLICT, version:tag, state, outbox} | {CONFLICT}, it does not exist | {WAITING}, mail of earlier commits waits in the outbox
--            | {REFUSED, number of the user whose claim it is, leases held} | {UNKNOWN}, whose sign of life it is has to register
--            | {SPENT, number of the charge}
--            Before events a user's channel gets 'state', the state key, version:tag and a state of at most 8 KiB, a line each.
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
-- include commit_user
local key, outbox, timers = unpack(KEYS)
local expected, stamp, tag, state, deadline, expire = arguments(6)
local found, old = unpack(redis.call('HMGET', key, 'v', 'x'))
if (found or '') ~= expected then
  if not found then return {'CONFLICT'} end
  return {'CONFLICT', found, redis.call('HGET', key, 's'), redis.call('XRANGE', outbox, '-', '+')}
end
if redis.call('EXISTS', outbox) == 1 then return {'WAITING'} end
readBounds()
local charges, users = readCharges(), {}
for i = 4, #KEYS, 4 do
  local user = readUser(i, stamp, tag)
  if user.sign and not renewable(user, user.sign) then return {'UNKNOWN'} end
  users[#users + 1] = user
end
local spent = charge(charges)
if spent then return {'SPENT', spent} end
for i, user in ipairs(users) do
  if user.claim then
    local granted, lease = judgeClaim(user.leases, user.claim)
    if not granted then return {'REFUSED', i, redis.call('HGETALL', user.leases)} end
    user.lease = lease
  end
end
redis.call('HSET', key, 'v', stamp, 's', state, 'x', expire)
if deadline ~= '' then redis.call('ZADD', timers, deadline, key)
elseif found then redis.call('ZREM', timers, key) end
if expire ~= '' then redis.call('PEXPIRE', key, expire)
elseif old and old ~= '' then redis.call('PERSIST', key) end
local reply, written = {'OK'}, expire == '' and #state <= 8192 and table.concat({'state', key, stamp, state}, '\n')
for i, user in ipairs(users) do
  reply[i + 1] = applyTo(user, written)
end
return reply
