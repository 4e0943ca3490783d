-- Appends one event to one device's mailbox and wakes it. The arguments from 1 on: channel  device  now  retention  most events
-- mailbox's ttl  most weight  tag  text (see mailbox)  where the mailbox must stand: seq|tag, or ''. Returns online | queued | none | moved.
local function send(devices, mailbox)
  local channel, device, now, retention, most, ttl, weight, tag, text, at = unpack(ARGV, 1, 10)
  local seq, before, sum, rest, seen, till, connection = string.match(redis.call('HGET', devices, device) or '', RECORD_HEAD)
  if not seq or seen + retention < tonumber(now) then return 'none' end
  if at ~= '' and at ~= seq .. '|' .. before then return 'moved' end
  -- As text once: every number that Lua appends to a text is formatted anew.
  seq = string.format('%d', seq + 1)
  sum = add(mailbox, seq, sum, text, most, weight)
  redis.call('HSET', devices, device, string.format('%s|%s|%d|%s', seq, tag, sum, rest))
  if seq == '1' then redis.call('PEXPIRE', mailbox, ttl) end
  if connection == '' then return 'queued' end
  redis.call('SPUBLISH', channel, 'event\n' .. device .. '\n' .. before .. '\n' .. seq .. '\n' .. text)
  return tonumber(till) > tonumber(now) and 'online' or 'queued'
end
