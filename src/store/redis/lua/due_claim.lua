#!lua
-- Purpose:   takes what is due in an index: aggregates whose deadline has passed, and outboxes that have waited too long.
-- KEYS:      1 index of outboxes that wait  2… indexes of timers, the most urgent class first
-- ARGV:      1 now  2 due again at  3 stale when older than  4 limit
-- RETURNS:   {OK, state keys that are due, outbox keys that are stale, 1 if the limit left any behind, else 0, next deadline or ''}
-- GUARANTEE: one caller gets a member; it comes up again at ARGV 2, or when it has been stale for as long again.
-- The members are keys, of states and of outboxes. They lie in the slot of their index, or on one server with it.
if redis.call('EXISTS', unpack(KEYS)) == 0 then return {'OK', {}, {}, 0, ''} end
local now, again, stale_before, limit = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local function claim(index, upto, until_when, count, claimed)
  local members = redis.call('ZRANGEBYSCORE', index, '-inf', upto, 'LIMIT', 0, count)
  for _, key in ipairs(members) do
    if redis.call('EXISTS', key) == 1 then
      redis.call('ZADD', index, until_when, key)
      claimed[#claimed + 1] = key
    else
      redis.call('ZREM', index, key)
    end
  end
  return #members
end
local due, stale, found, next_at = {}, {}, 0, math.huge
for i = 2, #KEYS do
  found = found + claim(KEYS[i], now, again, limit - found, due)
  next_at = math.min(next_at, redis.call('ZRANGE', KEYS[i], 0, 0, 'WITHSCORES')[2] or math.huge)
end
local waited = claim(KEYS[1], stale_before, now, limit, stale)
return {'OK', due, stale, math.max(found, waited) == limit and 1 or 0, next_at < math.huge and string.format('%.17g', next_at) or ''}
