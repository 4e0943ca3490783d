-- What is said of a peer of a user. The arguments: key of what is known  key of the back-off  outcome  keep ms  first wait in ms  most
local function readNote()
  local note = {}
  note.known, note.backoff, note.outcome, note.keep, note.wait, note.most = arguments(6)
  return note
end

local function noteContact(note, now)
  if note.outcome ~= 'failed' then redis.call('SET', note.known, '1', 'PX', note.keep) end
  if note.outcome == 'answered' then redis.call('DEL', note.backoff) end
  if note.outcome ~= 'failed' or note.wait == '0' then return end
  local failures = 1 + (string.match(redis.call('GET', note.backoff) or '', '^%d+') or 0)
  local wait = math.min(tonumber(note.most), note.wait * 2 ^ math.min(failures - 1, 20))
  redis.call('SET', note.backoff, string.format('%d|%d', failures, now + wait), 'PX', string.format('%d', wait + note.keep))
end
