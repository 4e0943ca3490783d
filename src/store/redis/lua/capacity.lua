-- Purpose:   makes room for a device of mailbox_touch.
-- GUARANTEE: expired devices are removed together with their mailboxes; if there are none, the device that never listened and was seen
--            least recently. Only the script knows these devices, so it makes the mailbox keys from their prefix; they lie in the slot of KEYS.
local function makeRoom(devices, mailbox_prefix, seen_since)
  local function remove(device)
    redis.call('HDEL', devices, device)
    redis.call('DEL', mailbox_prefix .. device)
  end
  local records = redis.call('HGETALL', devices)
  local expired_count, silent, silent_seen = 0, nil, nil
  for i = 1, #records, 2 do
    local _, _, _, _, _, seen, _, _, _, _, listened = string.match(records[i + 1], RECORD)
    seen = tonumber(seen)
    if seen < seen_since then
      remove(records[i])
      expired_count = expired_count + 1
    elseif listened == '0' and (not silent or seen < silent_seen) then
      silent, silent_seen = records[i], seen
    end
  end
  if expired_count == 0 and silent then remove(silent) end
end
