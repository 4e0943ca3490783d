#!lua
-- Purpose:   records a keepalive: registers the device if necessary, renews its retention, and decides which connection is the device's.
-- KEYS:      1 devices hash  2 mailbox  3 epoch of the partition  4… leases, memberships, invitations and watched presence of the user
-- ARGV:      1 device  2 channel  3 now  4 tag for a new mailbox or a RESET  5 retention in ms  6 TTL of KEYS 1 and 2 in ms
--            7 connection or ''  8 '1' to supersede the device's connection, or ''  9 online until or ''  10 auth expires at, 'never' or ''
--            11 '=' and a status, or ''  12 most devices  13 most entries  14 most weight  15 text of a RESET entry (see mailbox)
--            16 seq of the cursor to read after, 'start', or '' to read nothing  17 its tag  18 most entries and  19 most weight to read
-- RETURNS:   {OK | NEW, head seq, head tag, connection, auth expires at or '', requested at, number of KEYS 4… that exist,
--            page (see page) or {}} | {FULL}
-- GUARANTEE: a device has one connection; a claim wakes the superseded one. `auth expires at` is that of the connection's token; a newer
--            token can only extend it, and that wakes the open stream. Never more than ARGV 12 devices that have not expired: a device that
--            never listened makes room for a new one; FULL registers nothing. A device that was last touched in another epoch gets one RESET entry.
local devices, mailbox, epoch_key = unpack(KEYS)
local device, channel, now, new_tag, retention, ttl, own, claims, online_until, shown = unpack(ARGV, 1, 10)
local new_status, devices_max, most, most_weight, reset, cursor, cursor_tag, limit, weight_limit = unpack(ARGV, 11, 19)
-- include record
-- include mailbox
-- include page
-- include capacity
local function isFull() return redis.call('HLEN', devices) >= tonumber(devices_max) end
local function publish(kind, value) redis.call('SPUBLISH', channel, kind .. '\n' .. device .. '\n' .. value) end
local text, reply, epoch = redis.call('HGET', devices, device), 'OK', redis.call('GET', epoch_key) or ''
local seq, tag, sum, birth, known, seen, online, connection, auth, requested, listened, status = string.match(text or '', RECORD)
if not seq or seen + retention < tonumber(now) then
  if isFull() then makeRoom(devices, string.sub(mailbox, 1, -#device - 1), now - retention) end
  if isFull() then return {'FULL'} end
  -- Entries that outlived an expired record would have the numbers of new ones.
  redis.call('DEL', mailbox)
  reply, seq, tag, sum, birth, known = 'NEW', 0, new_tag, 0, new_tag, epoch
  seen, online, connection, auth, requested, listened, status = 0, 0, '', '', 0, '0', ''
end
local expires_at = shown == 'never' and '' or shown
if own ~= '' then
  if claims == '1' and connection ~= own then publish('claimed', own) end
  -- A record that lost its connection (failover, expiry) takes the one that is evidently open.
  if claims == '1' or connection == '' then connection, auth = own, expires_at end
  if connection == own and online_until ~= '' then online = online_until end
  listened = '1'
elseif connection == '' then online = 0
elseif auth ~= '' and shown ~= '' and (expires_at == '' or expires_at - auth > 0) then
  auth = expires_at
  publish('auth', auth)
end
if known ~= '' and epoch ~= '' and known ~= epoch then
  local wakeup = tag .. '\n' .. string.format('%d', seq + 1) .. '\n' .. reset
  seq, tag = string.format('%d', seq + 1), new_tag
  sum = string.format('%d', add(mailbox, seq, sum, reset, most, most_weight))
  if connection ~= '' then publish('event', wakeup) end
end
if epoch == '' then epoch = known end
if own == '' and tonumber(requested) < tonumber(now) then requested = now end
if tonumber(seen) < tonumber(now) then seen = now end
if new_status ~= '' then status = string.sub(new_status, 2) end
local record = {seq, tag, sum, birth, epoch, seen, online, connection, auth, requested, listened, status}
redis.call('HSET', devices, device, table.concat(record, '|'))
redis.call('PEXPIRE', devices, ttl)
redis.call('PEXPIRE', mailbox, ttl)
local after, bounds, page = {cursor = cursor, tag = cursor_tag}, {most = tonumber(limit), most_weight = tonumber(weight_limit)}, {}
if cursor ~= '' then page = readPage(mailbox, {seq = seq, tag = tag, birth = birth}, after, bounds) end
return {reply, tonumber(seq), tag, connection, auth, tonumber(requested), redis.call('EXISTS', unpack(KEYS, 4)), page}
