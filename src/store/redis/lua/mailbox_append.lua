#!lua
-- Purpose:   appends what commits of one source say to the mailboxes of a user's devices and wakes those that have a connection.
-- KEYS:      1 devices hash  2 commits of the source that the user's mailboxes have taken: version:tag, newest first  3 leases
-- ARGV:      1 prefix of the mailboxes  2 channel  3 now  4 retention  5 position's ttl  6 most events  7 mailbox's ttl
--            8 holders whose leases are released, with blanks between  9 most weight; then for each commit, oldest first:
--            version  tag  role (see taken)  number of entries, and for each of its entries: device or ''  ,excepted,devices, or ''  type  envelope
-- RETURNS:   'OK online queued', who took an entry of the last commit that was taken | DUPLICATE, none was | OVER, the source had ended
-- GUARANTEE: all or nothing; numbers are dense; a commit is taken once, and told from one of the same version that a failover forgot.
-- Mailbox keys are derived from a prefix in the slot of KEYS: only here is it known which devices exist.
-- include record
-- include mailbox
-- include taken
for holder in string.gmatch(ARGV[8], '%S+') do redis.call('HDEL', KEYS[3], holder) end
local now, boxes, taken, turn, last, online, queued = tonumber(ARGV[3]), {}, takenIn(redis.call('GET', KEYS[2])), 0, 9, 0, 0
local over = false
local function take(stamp, role)
  local kept, refused = withTaken(taken, stamp, role)
  over = over or refused
  taken, turn = kept or taken, turn + (kept and 1 or 0)
  return kept
end
local function open(device)
  local seq, tag, sum, rest, seen, till, connection = string.match(redis.call('HGET', KEYS[1], device) or '', RECORD_HEAD)
  if seq and seen + ARGV[4] >= now then
    boxes[device] = {seq = tonumber(seq), tag = tag, sum = sum, rest = rest, till = tonumber(till), connection = connection}
  else
    redis.call('HDEL', KEYS[1], device)
    redis.call('DEL', ARGV[1] .. device)
  end
  return boxes[device]
end
local function push(device, tag, i)
  local box = boxes[device] or open(device)
  if not box then return end
  box.before, box.seq, box.tag, box.turn = box.tag, box.seq + 1, tag, turn
  box.sum = add(ARGV[1] .. device, box.seq, box.sum, {t = tag, y = ARGV[i + 2], e = ARGV[i + 3]}, ARGV[6], ARGV[9])
  if box.seq == 1 then redis.call('PEXPIRE', ARGV[1] .. device, ARGV[7]) end
  if box.connection == '' then return end
  redis.call('SPUBLISH', ARGV[2], table.concat({'event', device, box.before, box.seq, tag, ARGV[i + 2], ARGV[i + 3]}, '\n'))
end
while last < #ARGV do
  local version, tag, role, first = ARGV[last + 1], ARGV[last + 2], ARGV[last + 3], last + 5
  last = last + 4 + 4 * ARGV[last + 4]
  for i = first, take(version .. ':' .. tag, role) and last or 0, 4 do
    for _, device in ipairs(ARGV[i] == '' and redis.call('HKEYS', KEYS[1]) or {ARGV[i]}) do
      if not string.find(ARGV[i + 1], ',' .. device .. ',', 1, true) then push(device, tag, i) end
    end
  end
end
if turn == 0 then return over and 'OVER' or 'DUPLICATE' end
redis.call('SET', KEYS[2], table.concat(taken, ' '), 'PX', ARGV[5])
for device, box in pairs(boxes) do
  redis.call('HSET', KEYS[1], device, table.concat({box.seq, box.tag, box.sum, box.rest}, '|'))
  local share = box.turn == turn and 1 or 0
  if box.connection ~= '' and box.till > now then online = online + share else queued = queued + share end
end
return over and 'OVER' or 'OK ' .. online .. ' ' .. queued
