#!lua
-- Purpose:   a sign of life: registers the device if need be, renews its retention, and settles whose connection it is.
-- KEYS:      1 devices hash  2 mailbox  3 epoch of the partition  4 … the user's leases, rooms, invitations and watched state
-- ARGV:      1 device  2 channel  3 now  4 tag for a birth  5 retention  6 ttl of both keys  7 connection or ''
--            8 '1' to claim  9 online until or ''  10 auth expires at, 'never' or ''  11 '=' and a status, or ''  12 most devices
--            13 most events  14 most weight  15 text (see mailbox) of the entry that says that writes may have been forgotten
--            16 seq or 'start' of a cursor to read from, '' to read nothing  17 its tag  18 most entries and  19 most weight to read
-- RETURNS:   {OK | NEW, head seq, head tag, connection, auth expires at or '', requested at, KEYS 4 … that exist, page or {}} | {FULL}
-- GUARANTEE: one connection a device; a claim tells the others. The token of the connection decides when auth expires; what
--            is shown later may extend it, which tells the open streams. Never more than ARGV 12 devices that have not expired.
--            On FULL nothing is registered. A device that was last touched in another epoch takes that entry, once.
-- The mailboxes of devices that expired are derived from KEYS 2: which they are is known only here, and they share its slot.
-- include record
-- include mailbox
-- include page
local now = tonumber(ARGV[3])
-- include capacity
local text, reply, epoch = redis.call('HGET', KEYS[1], ARGV[1]), 'OK', redis.call('GET', KEYS[3]) or ''
local seq, tag, sum, birth, known, seen, online, connection, auth, requested, status = string.match(text or '', RECORD)
if not seq or seen + ARGV[5] < now then
  if isFull() then return {'FULL'} end
  -- What a mailbox kept must not outlive its record: its numbers would stand in the way of the new ones.
  redis.call('DEL', KEYS[2])
  reply, seq, tag, sum, birth, known = 'NEW', 0, ARGV[4], 0, ARGV[4], epoch
  seen, online, connection, auth, requested, status = 0, 0, '', '', 0, ''
end
local shown = ARGV[10] == 'never' and '' or ARGV[10]
local function tell(kind, value) redis.call('SPUBLISH', ARGV[2], kind .. '\n' .. ARGV[1] .. '\n' .. value) end
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
if known ~= '' and epoch ~= '' and known ~= epoch then
  local before = tag
  seq, tag = string.format('%d', seq + 1), ARGV[4]
  sum = string.format('%d', add(KEYS[2], seq, sum, ARGV[15], ARGV[13], ARGV[14]))
  if connection ~= '' then redis.call('SPUBLISH', ARGV[2], table.concat({'event', ARGV[1], before, seq, ARGV[15]}, '\n')) end
end
if epoch == '' then epoch = known end
if ARGV[7] == '' and tonumber(requested) < now then requested = ARGV[3] end
if ARGV[11] ~= '' then status = string.sub(ARGV[11], 2) end
if tonumber(seen) < now then seen = ARGV[3] end
local record = {seq, tag, sum, birth, epoch, seen, online, connection, auth, requested, status}
redis.call('HSET', KEYS[1], ARGV[1], table.concat(record, '|'))
redis.call('PEXPIRE', KEYS[1], ARGV[6])
redis.call('PEXPIRE', KEYS[2], ARGV[6])
local head, after, page = {seq = seq, tag = tag, birth = birth}, {cursor = ARGV[16], tag = ARGV[17]}, {}
local bounds, involved = {most = tonumber(ARGV[18]), most_weight = tonumber(ARGV[19])}, redis.call('EXISTS', unpack(KEYS, 4))
if after.cursor ~= '' then page = readPage(KEYS[2], head, after, bounds) end
return {reply, tonumber(seq), tag, connection, auth, tonumber(requested), involved, page}
