-- Whether the user of mailbox_touch has as many devices as may be; those that expired go, with their mailboxes.
local function isFull()
  if redis.call('HLEN', KEYS[1]) < tonumber(ARGV[12]) then return false end
  local records, prefix = redis.call('HGETALL', KEYS[1]), string.sub(KEYS[2], 1, -#ARGV[1] - 1)
  for i = 1, #records, 2 do
    local _, _, _, _, _, seen = string.match(records[i + 1], RECORD)
    if seen + ARGV[5] < now then
      redis.call('HDEL', KEYS[1], records[i])
      redis.call('DEL', prefix .. records[i])
    end
  end
  return redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[12])
end
