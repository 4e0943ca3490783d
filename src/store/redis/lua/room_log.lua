-- Adds the line in the arguments of room_commit to the room's log. Returns the lines too many, which go unless they are held for log_trim.
local function addLine(version)
  redis.call('XADD', log, version .. '-0', 'i', line_id, 'l', line)
  redis.call('HSET', log_ids, line_id, version)
  local count = redis.call('XLEN', log) - keep
  if count <= 0 then return {} end
  local excess = redis.call('XRANGE', log, '-', '+', 'COUNT', count)
  if holds == '' then
    for _, entry in ipairs(excess) do redis.call('HDEL', log_ids, entry[2][2]) end
    redis.call('XTRIM', log, 'MAXLEN', keep)
  end
  return excess
end
