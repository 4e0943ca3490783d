#!lua
-- Purpose:   takes the aggregates of a partition whose deadline has passed, or whose outbox has waited too long.
-- KEYS:      1 pending index of the partition  2… timers of the partition, the most urgent class first
-- ARGV:      1 now  2 due again at  3 stale when older than  4 limit  5 prefix of states  6 prefix of outboxes
-- RETURNS:   {OK, due members, stale members, 1 if as many deadlines as the limit had passed}
-- GUARANTEE: one caller gets a member; it comes up again at ARGV 2, or when it has been stale for as long again.
-- The keys behind members are derived: which they are is known only here, and they share the slot of KEYS.
local limit = tonumber(ARGV[4])
local function claim(first, last, upto, again, prefix)
  local claimed, found = {}, 0
  for i = first, last do
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[i], '-inf', upto, 'LIMIT', 0, limit - found)) do
      found = found + 1
      if redis.call('EXISTS', prefix .. member) == 1 then
        redis.call('ZADD', KEYS[i], again, member)
        claimed[#claimed + 1] = member
      else
        redis.call('ZREM', KEYS[i], member)
      end
    end
  end
  return claimed, found
end
local due, found = claim(2, #KEYS, ARGV[1], ARGV[2], ARGV[5])
local stale = claim(1, 1, ARGV[3], ARGV[1], ARGV[6])
return {'OK', due, stale, found == limit and 1 or 0}
