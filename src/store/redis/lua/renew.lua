-- Purpose:   records a keepalive of a registered device that made a request.
-- ARGV:      device  auth expires at, or 'never'
-- GUARANTEE: a newer token can only extend `auth expires at`, and that wakes the open stream.
local function readKeepalive()
  local device, expires_at = arguments(2)
  return {device = device, expires_at = expires_at}
end

-- Returns false if the device must be touched first: it is not registered, or was last touched in another epoch. Keeps the record for renew().
local function canRenew(user, keepalive)
  keepalive.record = {string.match(redis.call('HGET', user.devices, keepalive.device) or '', RECORD)}
  local known_epoch, seen = keepalive.record[5], keepalive.record[6]
  if not seen or seen + bounds.retention < bounds.now then return false end
  local epoch = redis.call('GET', user.epoch)
  return not epoch or known_epoch == epoch
end

-- Called before anything else is written to the device, because it writes the record that canRenew() read. Returns the head: {seq, tag}.
local function renew(user, keepalive)
  local device, expires_at = keepalive.device, keepalive.expires_at
  local seq, tag, sum, birth, epoch, seen, online, connection, auth, requested, listened, status = unpack(keepalive.record)
  if connection == '' then online = 0
  elseif auth ~= '' and (expires_at == 'never' or expires_at - auth > 0) then
    auth = expires_at == 'never' and '' or expires_at
    redis.call('SPUBLISH', user.channel, table.concat({'auth', device, auth}, '\n'))
  end
  local now = string.format('%d', bounds.now)
  if tonumber(requested) < bounds.now then requested = now end
  if tonumber(seen) < bounds.now then seen = now end
  local record = {seq, tag, sum, birth, epoch, seen, online, connection, auth, requested, listened, status}
  redis.call('HSET', user.devices, device, table.concat(record, '|'))
  redis.call('PEXPIRE', user.devices, bounds.ttl)
  redis.call('PEXPIRE', user.prefix .. device, bounds.ttl)
  return {tonumber(seq), tag}
end
