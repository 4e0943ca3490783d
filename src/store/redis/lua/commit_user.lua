-- A user of commit_deliver: keys from KEYS[i] on, and the arguments. `stamp` and `tag` are those of the commit.
local function readUser(i, stamp, tag)
  local user = {devices = KEYS[i], leases = KEYS[i + 1], presence = KEYS[i + 2], epoch = KEYS[i + 3]}
  user.prefix, user.channel = arguments(2)
  if arguments(1) == '1' then user.claim = readClaim() end
  if arguments(1) == '1' then user.sign = readSign() end
  user.mail = readMail(stamp, tag)
  return user
end

-- Does for the user what the commit says; `written`: see wake. Returns the user's part of the reply.
local function applyTo(user, written)
  local held, boxes = user.claim and grant(user.leases, user.claim, user.lease) or {}, {}
  local head, isReleased = user.sign and renew(user, user.sign) or {}, user.mail.release ~= ''
  if isReleased then redis.call('HDEL', user.leases, user.mail.release) end
  user.written = written
  put(user, user.mail, boxes, 1)
  local online, queued = wake(user, boxes, 1)
  local watched = (user.claim or isReleased) and redis.call('EXISTS', user.presence) or 0
  return {online .. ' ' .. queued .. ' ' .. watched, held, head}
end
