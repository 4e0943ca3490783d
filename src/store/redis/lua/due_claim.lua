#!lua
-- Purpose:   claims what is due: aggregates whose deadline has passed, and outboxes that have waited too long.
-- KEYS:      1 index of waiting outboxes  2… indexes of timers, the most urgent class first
-- ARGV:      1 now  2 claim marker: the new deadline of what is claimed  3 an outbox is stale if it has waited since then  4 limit
-- RETURNS:   {OK, state keys that are due, outbox keys that are stale, 1 if the limit may have cut off some, else 0, next deadline or ''}
-- GUARANTEE: one caller gets a member. It is returned again at its claim marker, or when it has been stale for as long again.
-- include webhook_counts
-- The members of an index are state or outbox keys. They lie in the slot of the index, or all keys lie on one server.
local outboxes, now, marker, stale_since, limit = KEYS[1], unpack(ARGV)
limit = tonumber(limit)
if redis.call('EXISTS', unpack(KEYS)) == 0 then return {'OK', {}, {}, 0, ''} end
-- Moves at most `count` members up to the score `upto` to the score `again_at`. Returns how many it found, also without their keys.
local function claim(index, upto, again_at, count, claimed)
  local members = redis.call('ZRANGEBYSCORE', index, '-inf', upto, 'LIMIT', 0, count)
  for _, key in ipairs(members) do
    if redis.call('EXISTS', key) == 1 then
      redis.call('ZADD', index, again_at, key)
      claimed[#claimed + 1] = key
    else
      removeFromIndex(index, key)
    end
  end
  return #members
end
local due, stale, found, next_at = {}, {}, 0, math.huge
for i = 2, #KEYS do
  found = found + claim(KEYS[i], now, marker, limit - found, due)
  next_at = math.min(next_at, redis.call('ZRANGE', KEYS[i], 0, 0, 'WITHSCORES')[2] or math.huge)
end
local found_stale = claim(outboxes, stale_since, now, limit, stale)
local more = math.max(found, found_stale) == limit and 1 or 0
return {'OK', due, stale, more, next_at < math.huge and string.format('%.17g', next_at) or ''}
