-- A sign of life of a device that made a request. The arguments: device  auth expires at, or 'never'
local function readSign()
  local device, shown = arguments(2)
  return {device = device, shown = shown}
end

-- Whether the device is registered and has taken note of the epoch; else only mailbox_touch can do more. Keeps the record for `renew`.
local function renewable(user, sign)
  sign.record = {string.match(redis.call('HGET', user.devices, sign.device) or '', RECORD)}
  local known, seen = sign.record[5], sign.record[6]
  if not seen or seen + bounds.retention < bounds.now then return false end
  local epoch = redis.call('GET', user.epoch)
  return not epoch or known == epoch
end

-- Before anything else is written to the device. Returns the head of its mailbox: seq, tag.
local function renew(user, sign)
  local device, shown = sign.device, sign.shown
  local seq, tag, sum, birth, epoch, seen, online, connection, auth, requested, status = unpack(sign.record)
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
