-- Appends one event to one device's mailbox and wakes it. The arguments from 1 on: channel  device  tag  now  retention  most events
-- mailbox's ttl  most weight  type  envelope  where the mailbox must stand: seq|tag, or ''. Returns online | queued | none | moved.
local function send(devices, mailbox)
  local channel, device, tag, now, retention, most, ttl, weight, kind, envelope, at = unpack(ARGV, 1, 11)
  local seq, before, sum, rest, seen, till, connection = string.match(redis.call('HGET', devices, device) or '', RECORD_HEAD)
  if not seq or seen + retention < tonumber(now) then return 'none' end
  if at ~= '' and at ~= seq .. '|' .. before then return 'moved' end
  -- As text once: every number that Lua appends to a text is formatted anew.
  seq = string.format('%d', seq + 1)
  sum = add(mailbox, seq, sum, {t = tag, y = kind, e = envelope}, most, weight)
  redis.call('HSET', devices, device, table.concat({seq, tag, sum, rest}, '|'))
  if seq == '1' then redis.call('PEXPIRE', mailbox, ttl) end
  if connection == '' then return 'queued' end
  redis.call('SPUBLISH', channel, table.concat({'event', device, before, seq, tag, kind, envelope}, '\n'))
  return tonumber(till) > tonumber(now) and 'online' or 'queued'
end
