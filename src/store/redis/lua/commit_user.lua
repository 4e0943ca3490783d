-- Purpose:   the part of one user in commit_deliver.
-- KEYS:      devices hash  leases hash  state of the user's presence, which exists while the user is watched  epoch of the partition
-- ARGV:      prefix of the mailbox keys  channel; '1' and a claim (see lease), or ''; '1' and a keepalive (see renew), or ''; mail (see mail)
-- RETURNS:   {'online queued watched', leases held if there is a claim, head {seq, tag} if there is a keepalive}: how many devices got an
--            event, with and without a connection; 1 if the user's leases changed and the user is watched
local function readUser(first_key, stamp, tag)
  local user = {}
  user.devices, user.leases, user.presence, user.epoch = unpack(KEYS, first_key, first_key + 3)
  user.prefix, user.channel = arguments(2)
  if arguments(1) == '1' then user.claim = readClaim() end
  if arguments(1) == '1' then user.keepalive = readKeepalive() end
  user.mail = readMail(stamp, tag)
  return user
end

-- `hint`: see wake in deliver.
local function applyTo(user, hint)
  local held = user.claim and grant(user.leases, user.claim, user.lease) or {}
  local head = user.keepalive and renew(user, user.keepalive) or {}
  local is_released, opened = user.mail.release ~= '', {}
  if is_released then redis.call('HDEL', user.leases, user.mail.release) end
  user.hint = hint
  put(user, user.mail, opened, 1)
  local online, queued = wake(user, opened, 1)
  local watched = (user.claim or is_released) and redis.call('EXISTS', user.presence) or 0
  return {online .. ' ' .. queued .. ' ' .. watched, held, head}
end
