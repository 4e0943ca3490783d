#!lua
-- Purpose:   appends events to the mailboxes of a user's devices and wakes those that have a connection.
-- KEYS:      1 devices hash  2 commits of the source that the user's mailboxes have taken: version:tag, newest first
--            3 leases
-- ARGV:      1 prefix of the mailboxes  2 channel  3 version  4 tag  5 now  6 retention  7 position's ttl
--            8 most events  9 mailbox's ttl  10 whose lease goes back, or '';
--            then for each entry: device or ''  ,excepted,devices, or ''  type  envelope
-- RETURNS:   'OK online queued' | DUPLICATE
-- GUARANTEE: all or nothing; numbers are dense; a commit is taken once, and told from one of the same version that a failover forgot.
-- Mailbox keys are derived from a prefix that shares the slot of KEYS: only here, atomically, is it known which devices exist.
-- include record
if ARGV[10] ~= '' then redis.call('HDEL', KEYS[3], ARGV[10]) end
local version, tag, commits, count, oldest = tonumber(ARGV[3]), ARGV[4], {ARGV[3] .. ':' .. ARGV[4]}, 0, 0
for v, t in string.gmatch(redis.call('GET', KEYS[2]) or '', '(%d+):(%w+)') do
  count, oldest = count + 1, tonumber(v)
  if oldest == version and t == tag then return 'DUPLICATE' end
  if oldest < version and #commits < 8 then commits[#commits + 1] = v .. ':' .. t end
end
if count == 8 and version < oldest then return 'DUPLICATE' end
redis.call('SET', KEYS[2], table.concat(commits, ' '), 'PX', ARGV[7])
local now, boxes, online, queued, names = tonumber(ARGV[5]), {}, 0, 0, nil
local function open(device, text)
  local seq, last, rest, seen, till, connection = string.match(text or '', RECORD_HEAD)
  if seq and seen + ARGV[6] < now then
    redis.call('HDEL', KEYS[1], device)
    redis.call('DEL', ARGV[1] .. device)
    seq = nil
  end
  boxes[device] = seq and {seq = tonumber(seq), tag = last, rest = rest, till = tonumber(till), connection = connection} or false
end
local function push(device, kind, envelope)
  if boxes[device] == nil then open(device, redis.call('HGET', KEYS[1], device)) end
  local box = boxes[device]
  if not box then return end
  local before = box.tag
  box.seq, box.tag, box.took = box.seq + 1, tag, true
  redis.call('XADD', ARGV[1] .. device, 'MAXLEN', '~', ARGV[8], box.seq .. '-0', 't', tag, 'y', kind, 'e', envelope)
  if box.seq == 1 then redis.call('PEXPIRE', ARGV[1] .. device, ARGV[9]) end
  if box.connection ~= '' then
    redis.call('SPUBLISH', ARGV[2], table.concat({'event', device, before, box.seq, tag, kind, envelope}, '\n'))
  end
end
for i = 11, #ARGV, 4 do
  if ARGV[i] ~= '' then push(ARGV[i], ARGV[i + 2], ARGV[i + 3])
  else
    names = names or redis.call('HKEYS', KEYS[1])
    for _, device in ipairs(names) do
      if not string.find(ARGV[i + 1], ',' .. device .. ',', 1, true) then push(device, ARGV[i + 2], ARGV[i + 3]) end
    end
  end
end
for device, box in pairs(boxes) do
  if box and box.took then
    redis.call('HSET', KEYS[1], device, box.seq .. '|' .. box.tag .. '|' .. box.rest)
    if box.connection ~= '' and box.till > now then online = online + 1 else queued = queued + 1 end
  end
end
return 'OK ' .. online .. ' ' .. queued
