-- Purpose:   makes room for a device of mailbox_touch.
-- GUARANTEE: an expired device is removed together with its mailbox. Only the script knows which devices have expired, so it makes the
--            mailbox keys from their prefix; they lie in the slot of KEYS.
local function removeExpired(devices, mailbox_prefix, seen_since)
  local records = redis.call('HGETALL', devices)
  for i = 1, #records, 2 do
    local _, _, _, _, seen = string.match(records[i + 1], RECORD_HEAD)
    if tonumber(seen) < seen_since then
      redis.call('HDEL', devices, records[i])
      redis.call('DEL', mailbox_prefix .. records[i])
    end
  end
end
