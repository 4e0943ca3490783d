-- Purpose:   appends one event to the mailbox of one device and wakes its connection.
-- ARGV:      1 channel  2 device  3 now  4 retention in ms  5 most entries  6 TTL of the mailbox in ms  7 most weight  8 tag
--            9 text (see mailbox)  10 the head that the mailbox must have: seq|tag, or ''
-- RETURNS:   online | queued | none, the device is not registered | moved, the mailbox has another head
-- GUARANTEE: 'none' and 'moved' write nothing.
local function send(devices, mailbox)
  local channel, device, now, retention, most, ttl, weight, tag, text, expected_head = unpack(ARGV, 1, 10)
  local record = redis.call('HGET', devices, device) or ''
  local seq, before, sum, rest, seen, online_until, connection = string.match(record, RECORD_HEAD)
  if not seq or seen + retention < tonumber(now) then return 'none' end
  if expected_head ~= '' and expected_head ~= seq .. '|' .. before then return 'moved' end
  -- Converted to text once, because Lua formats a number anew each time it is concatenated.
  seq = string.format('%d', seq + 1)
  sum = add(mailbox, seq, sum, text, most, weight)
  redis.call('HSET', devices, device, string.format('%s|%s|%d|%s', seq, tag, sum, rest))
  if seq == '1' then redis.call('PEXPIRE', mailbox, ttl) end
  if connection == '' then return 'queued' end
  redis.call('SPUBLISH', channel, 'event\n' .. device .. '\n' .. before .. '\n' .. seq .. '\n' .. text)
  return tonumber(online_until) > tonumber(now) and 'online' or 'queued'
end
