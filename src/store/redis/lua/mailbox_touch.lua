#!lua
-- Purpose:   a sign of life: registers the device if need be, renews its retention, and settles whose connection it is.
-- KEYS:      1 devices hash  2 mailbox
-- ARGV:      1 device  2 channel  3 now  4 tag for a birth  5 retention  6 ttl of both keys  7 connection or ''
--            8 '1' to claim  9 online until or ''  10 auth expires at, 'never' or ''  11 '=' and a status, or ''  12 most devices
-- RETURNS:   {OK | NEW, head seq, head tag, connection, auth expires at or ''} | {FULL}
-- GUARANTEE: one connection a device; a claim tells the others. The token of the connection decides when auth expires; what
--            is shown later may extend it, which tells the open streams. Never more than ARGV 12 devices that have not expired.
--            On FULL nothing is registered.
-- The mailboxes of devices that expired are derived from KEYS 2: which they are is known only here, and they share its slot.
-- include record
local now = tonumber(ARGV[3])
local function isFull()
  if redis.call('HLEN', KEYS[1]) < tonumber(ARGV[12]) then return false end
  local records, prefix = redis.call('HGETALL', KEYS[1]), string.sub(KEYS[2], 1, -#ARGV[1] - 1)
  for i = 1, #records, 2 do
    local _, _, _, _, seen = string.match(records[i + 1], RECORD)
    if seen + ARGV[5] < now then
      redis.call('HDEL', KEYS[1], records[i])
      redis.call('DEL', prefix .. records[i])
    end
  end
  return redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[12])
end
local text, reply = redis.call('HGET', KEYS[1], ARGV[1]), 'OK'
local seq, tag, sum, birth, seen, online, connection, auth, status = string.match(text or '', RECORD)
if not seq or seen + ARGV[5] < now then
  if isFull() then return {'FULL'} end
  -- What a mailbox kept must not outlive its record: its numbers would stand in the way of the new ones.
  redis.call('DEL', KEYS[2])
  reply, seq, tag, sum, birth = 'NEW', 0, ARGV[4], 0, ARGV[4]
  seen, online, connection, auth, status = 0, 0, '', '', ''
end
local shown = ARGV[10] == 'never' and '' or ARGV[10]
local function tell(kind, value)
  redis.call('SPUBLISH', ARGV[2], kind .. '\n' .. ARGV[1] .. '\n' .. value)
end
if ARGV[7] ~= '' then
  local claims = ARGV[8] == '1'
  if claims and connection ~= ARGV[7] then tell('claimed', ARGV[7]) end
  -- A record that lost its connection (a failover, an expiry) takes the one that is evidently open.
  if claims or connection == '' then connection, auth = ARGV[7], shown end
  if connection == ARGV[7] and ARGV[9] ~= '' then online = ARGV[9] end
elseif connection == '' then
  online = 0
end
if ARGV[7] == '' and connection ~= '' and auth ~= '' and ARGV[10] ~= '' and (shown == '' or shown - auth > 0) then
  auth = shown
  tell('auth', auth)
end
if ARGV[11] ~= '' then status = string.sub(ARGV[11], 2) end
if tonumber(seen) < now then seen = ARGV[3] end
redis.call('HSET', KEYS[1], ARGV[1], table.concat({seq, tag, sum, birth, seen, online, connection, auth, status}, '|'))
redis.call('PEXPIRE', KEYS[1], ARGV[6])
redis.call('PEXPIRE', KEYS[2], ARGV[6])
return {reply, tonumber(seq), tag, connection, auth}
