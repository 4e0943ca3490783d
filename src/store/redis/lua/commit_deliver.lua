#!lua
-- Purpose:   commits an aggregate and delivers its mail in one step, where all keys lie on one server.
-- KEYS:      1 state hash  2 outbox stream  3 index of timers; then for each user: see commit_user
-- ARGV:      expected version:tag or ''  version:tag  tag  state  deadline or ''  expire in ms or ''; bounds (see mail); charges (see
--            charge); then for each user: see commit_user; then webhook events, see webhooks
-- RETURNS:   {OK, webhook events that were refused, then for each user what commit_user returns} | {CONFLICT, version:tag, state, outbox entries} | {CONFLICT}, the
--            aggregate does not exist | {WAITING}, mail of earlier commits is in the outbox | {UNKNOWN}, a device with a keepalive must
--            be touched first | {SPENT, number of the charge} | {REFUSED, number of the user, leases that the user holds}
-- GUARANTEE: writes only on OK, except that SPENT and REFUSED leave charges taken. Before its events the channel of a user gets 'state',
--            the state key, version:tag and the state, a line each, if the state has at most 8 KiB and the aggregate has not ended.
-- include arguments
-- include record
-- include mailbox
-- include contact
-- include mail
-- include deliver
-- include budget
-- include charge
-- include lease
-- include renew
-- include commit_user
-- include webhook_counts
-- include webhooks
local key, outbox, timers = unpack(KEYS)
local expected, stamp, tag, state, deadline, expire_in = arguments(6)
local current, expire_before = unpack(redis.call('HMGET', key, 'v', 'x'))
if (current or '') ~= expected then
  if not current then return {'CONFLICT'} end
  return {'CONFLICT', current, redis.call('HGET', key, 's'), redis.call('XRANGE', outbox, '-', '+')}
end
if redis.call('EXISTS', outbox) == 1 then return {'WAITING'} end
readBounds()
local charges, users = readCharges(), {}
for i = 4, #KEYS, 4 do
  local user = readUser(i, stamp, tag)
  if user.keepalive and not canRenew(user, user.keepalive) then return {'UNKNOWN'} end
  users[#users + 1] = user
end
local webhooks = readWebhooks(arguments_read + 1)
local refused_charge = charge(charges)
if refused_charge then return {'SPENT', refused_charge} end
for i, user in ipairs(users) do
  if user.claim then
    local is_granted, lease = judgeClaim(user.leases, user.claim)
    if not is_granted then return {'REFUSED', i, redis.call('HGETALL', user.leases)} end
    user.lease = lease
  end
end
redis.call('HSET', key, 'v', stamp, 's', state, 'x', expire_in)
if deadline ~= '' then redis.call('ZADD', timers, deadline, key)
elseif current then redis.call('ZREM', timers, key) end
if expire_in ~= '' then redis.call('PEXPIRE', key, expire_in)
elseif expire_before and expire_before ~= '' then redis.call('PERSIST', key) end
local reply, hint = {'OK', queueWebhooks(webhooks, stamp)}, expire_in == '' and #state <= 8192 and table.concat({'state', key, stamp, state}, '\n')
for i, user in ipairs(users) do
  reply[i + 2] = applyTo(user, hint)
end
return reply
