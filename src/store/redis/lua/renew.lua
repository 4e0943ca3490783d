-- A sign of life of a device that made a request. The arguments: device  auth expires at, or 'never'
local function readSign()
  local device, shown = arguments(2)
  return {device = device, shown = shown}
end

-- Whether the device is registered and has taken note of the epoch; else only mailbox_touch can do more.
local function renewable(user, sign)
  local _, _, _, _, known, seen = string.match(redis.call('HGET', user.devices, sign.device) or '', RECORD)
  if not seen or seen + bounds.retention < bounds.now then return false end
  local epoch = redis.call('GET', user.epoch)
  return not epoch or known == epoch
end

-- Returns the head of its mailbox: seq, tag.
local function renew(user, sign)
  local device, shown = sign.device, sign.shown
  local seq, tag, sum, birth, epoch, seen, online, connection, auth, requested, status = string.match(redis.call('HGET', user.devices, device), RECORD)
  if connection == '' then online = 0
  elseif auth ~= '' and (shown == 'never' or shown - auth > 0) then
    auth = shown == 'never' and '' or shown
    redis.call('SPUBLISH', user.channel, table.concat({'auth', device, auth}, '\n'))
  end
  local now = string.format('%d', bounds.now)
  if tonumber(requested) < bounds.now then requested = now end
  if tonumber(seen) < bounds.now then seen = now end
  redis.call('HSET', user.devices, device, table.concat({seq, tag, sum, birth, epoch, seen, online, connection, auth, requested, status}, '|'))
  redis.call('PEXPIRE', user.devices, bounds.ttl)
  redis.call('PEXPIRE', user.prefix .. device, bounds.ttl)
  return {tonumber(seq), tag}
end
