-- Adds the line in the arguments of room_commit to the room's log. Returns the lines too many, which go unless they are held for log_trim.
local function addLine(version)
  redis.call('XADD', log, version .. '-0', 'i', lineId, 'l', line)
  redis.call('HSET', logIds, lineId, version)
  local count = redis.call('XLEN', log) - keep
  if count <= 0 then return {} end
  local excess = redis.call('XRANGE', log, '-', '+', 'COUNT', count)
  if holds == '' then
    for _, entry in ipairs(excess) do redis.call('HDEL', logIds, entry[2][2]) end
    redis.call('XTRIM', log, 'MAXLEN', keep)
  end
  return excess
end
