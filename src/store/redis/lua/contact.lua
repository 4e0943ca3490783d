-- Purpose:   records the outcome of a ring attempt between a user and a peer: whether the user knows the peer, and the peer's back-off.
-- ARGV:      key of the string that exists while the peer is known  key of the back-off  outcome  keep ms  first back-off in ms
--            longest back-off in ms
-- GUARANTEE: both keys have a TTL.
local function readContactUpdate()
  local update = {}
  update.known, update.backoff, update.outcome, update.keep_ms, update.first_ms, update.max_ms = arguments(6)
  return update
end

-- The back-off doubles with each failure; ../contacts.ts computes the same for memory.
local function recordContact(update, now)
  if update.outcome ~= 'failed' then redis.call('SET', update.known, '1', 'PX', update.keep_ms) end
  if update.outcome == 'answered' then redis.call('DEL', update.backoff) end
  if update.outcome ~= 'failed' or update.first_ms == '0' then return end
  local failures = 1 + (string.match(redis.call('GET', update.backoff) or '', '^%d+') or 0)
  local wait_ms = math.min(tonumber(update.max_ms), update.first_ms * 2 ^ math.min(failures - 1, 20))
  local ttl = string.format('%d', wait_ms + update.keep_ms)
  redis.call('SET', update.backoff, string.format('%d|%d', failures, now + wait_ms), 'PX', ttl)
end
