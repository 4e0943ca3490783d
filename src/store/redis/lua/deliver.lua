-- Purpose:   delivers mail to a user: put() appends entries to the mailboxes of the user's devices, and wake() then writes the records of
--            these devices and wakes their connections.
-- GUARANTEE: an expired device gets nothing and is removed. Mailbox keys are made of their prefix and a device, because only the script
--            knows which devices are registered; they lie in the slot of the devices hash.
-- A user has devices and leases (keys), prefix (of the mailbox keys), channel. `opened`: the mailboxes that got entries, by device.
local function openMailbox(user, device)
  local record = redis.call('HGET', user.devices, device) or ''
  local seq, tag, sum, rest, seen, online_until, connection = string.match(record, RECORD_HEAD)
  if seq and seen + bounds.retention >= bounds.now then
    return {seq = tonumber(seq), tag = tag, sum = sum, rest = rest, online_until = tonumber(online_until), connection = connection}
  end
  redis.call('HDEL', user.devices, device)
  redis.call('DEL', user.prefix .. device)
end

local function push(user, device, box, tag, text)
  local mailbox, seq = user.prefix .. device, box.seq + 1
  if box.wakeup then box.wakeup[#box.wakeup + 1] = text
  else box.wakeup = {'event\n' .. device .. '\n' .. box.tag .. '\n' .. seq .. '\n' .. text} end
  box.seq, box.tag, box.sum = seq, tag, add(mailbox, seq, box.sum, text, bounds.entries, bounds.weight)
  if seq == 1 then redis.call('PEXPIRE', mailbox, bounds.ttl) end
end

-- `number` counts the mails of one call; each mailbox keeps the number of the last mail that it got an entry of.
local function put(user, mail, opened, number)
  for _, contact in ipairs(mail.contacts) do recordContact(contact, bounds.now) end
  for _, entry in ipairs(mail.entries) do
    for _, device in ipairs(entry.device == '' and redis.call('HKEYS', user.devices) or {entry.device}) do
      if not string.find(entry.except, '\n' .. device .. '\n', 1, true) then
        local box = opened[device] or openMailbox(user, device)
        if box then
          push(user, device, box, mail.tag, entry.text)
          box.number, opened[device] = number, box
        end
      end
    end
  end
end

-- Publishes user.hint, if there is one, before the first event. Returns how many devices got an entry of mail `number`: online, queued.
local function wake(user, opened, number)
  local online, queued = 0, 0
  for device, box in pairs(opened) do
    redis.call('HSET', user.devices, device, string.format('%d|%s|%d|%s', box.seq, box.tag, box.sum, box.rest))
    if box.connection ~= '' then
      if user.hint then redis.call('SPUBLISH', user.channel, user.hint) end
      user.hint = nil
      redis.call('SPUBLISH', user.channel, #box.wakeup == 1 and box.wakeup[1] or table.concat(box.wakeup, '\n'))
    end
    local count = box.number == number and 1 or 0
    if box.connection ~= '' and box.online_until > bounds.now then online = online + count else queued = queued + count end
  end
  return online, queued
end
