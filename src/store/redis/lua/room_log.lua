-- Adds the entry in the arguments of room_commit to the room's log. Returns the entries beyond those to keep; they are trimmed here
-- unless log_trim does that later.
local function addEntry(version)
  redis.call('XADD', log, version .. '-0', 'i', entry_id, 'l', entry)
  redis.call('HSET', log_ids, entry_id, version)
  local count = redis.call('XLEN', log) - keep
  if count <= 0 then return {} end
  local excess = redis.call('XRANGE', log, '-', '+', 'COUNT', count)
  if keeps_excess == '' then
    for _, oldest in ipairs(excess) do redis.call('HDEL', log_ids, oldest[2][2]) end
    redis.call('XTRIM', log, 'MAXLEN', keep)
  end
  return excess
end
