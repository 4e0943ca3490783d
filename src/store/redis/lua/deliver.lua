-- Mail: what one commit says to a user. Its entries are put in the mailboxes of the user's devices (put), whose records are then written and
-- whose connections woken (wake). Mailbox keys are derived from a prefix in the slot of the keys: only here is it known which devices exist.
local function openBox(user, device)
  local seq, tag, sum, rest, seen, till, connection = string.match(redis.call('HGET', user.devices, device) or '', RECORD_HEAD)
  if seq and seen + bounds.retention >= bounds.now then
    return {seq = tonumber(seq), tag = tag, sum = sum, rest = rest, till = tonumber(till), connection = connection}
  end
  redis.call('HDEL', user.devices, device)
  redis.call('DEL', user.prefix .. device)
end

local function push(user, device, box, tag, text)
  local mailbox, seq, news = user.prefix .. device, box.seq + 1, box.news
  if news then news[#news + 1] = text
  else box.news = {'event\n' .. device .. '\n' .. box.tag .. '\n' .. seq .. '\n' .. text} end
  box.seq, box.tag, box.sum = seq, tag, add(mailbox, seq, box.sum, text, bounds.entries, bounds.weight)
  if seq == 1 then redis.call('PEXPIRE', mailbox, bounds.ttl) end
end

-- user: devices, leases (keys), prefix (of the mailboxes), channel. boxes: those that took an entry, by device; `turn` is the mail they took last.
local function put(user, mail, boxes, turn)
  if mail.note then noteContact(mail.note, bounds.now) end
  for _, entry in ipairs(mail.entries) do
    for _, device in ipairs(entry.device == '' and redis.call('HKEYS', user.devices) or {entry.device}) do
      if not string.find(entry.except, ',' .. device .. ',', 1, true) then
        local box = boxes[device] or openBox(user, device)
        if box then
          push(user, device, box, mail.tag, entry.text)
          box.turn, boxes[device] = turn, box
        end
      end
    end
  end
end

-- user.written: what those that subscribe to the user hear of the commit first, if anything. Returns how many devices took an entry of the mail of this turn: online, queued.
local function wake(user, boxes, turn)
  local online, queued = 0, 0
  for device, box in pairs(boxes) do
    redis.call('HSET', user.devices, device, string.format('%d|%s|%d|%s', box.seq, box.tag, box.sum, box.rest))
    if box.connection ~= '' then
      if user.written then redis.call('SPUBLISH', user.channel, user.written) end
      user.written = nil
      redis.call('SPUBLISH', user.channel, #box.news == 1 and box.news[1] or table.concat(box.news, '\n'))
    end
    local share = box.turn == turn and 1 or 0
    if box.connection ~= '' and box.till > bounds.now then online = online + share else queued = queued + share end
  end
  return online, queued
end
