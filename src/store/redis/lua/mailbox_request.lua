#!lua
-- Purpose:   records that a device made a request while its stream or poll is open.
-- KEYS:      1 devices hash
-- ARGV:      1 device  2 now  3 channel  4 auth expires at, 'never' or ''
-- RETURNS:   OK | NONE, the device has no open stream or poll, or it is recorded already
-- GUARANTEE: NONE writes nothing. Registers no device and renews no retention. A newer token can only extend `auth expires at`, and that
--            wakes the open stream.
-- include record
local devices = KEYS[1]
local device, now, channel, shown = unpack(ARGV)
local text = redis.call('HGET', devices, device)
local seq, tag, sum, birth, epoch, seen, online, connection, auth, requested, listened, status = string.match(text or '', RECORD)
if not seq or connection == '' then return 'NONE' end
local is_later = auth ~= '' and shown ~= '' and (shown == 'never' or shown - auth > 0)
if is_later then
  auth = shown == 'never' and '' or shown
  redis.call('SPUBLISH', channel, table.concat({'auth', device, auth}, '\n'))
end
local is_newer = tonumber(requested) < tonumber(now)
if is_newer then requested = now end
if not (is_later or is_newer) then return 'NONE' end
local record = {seq, tag, sum, birth, epoch, seen, online, connection, auth, requested, listened, status}
redis.call('HSET', devices, device, table.concat(record, '|'))
return 'OK'
