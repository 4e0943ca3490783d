#!lua
-- Purpose:   takes the aggregates of a partition whose deadline has passed, or whose outbox has waited too long.
-- KEYS:      1 timers of the partition  2 pending index of the partition
-- ARGV:      1 now  2 due again at  3 stale when older than  4 limit  5 prefix of states  6 prefix of outboxes
-- RETURNS:   {OK, due members, stale members}
-- GUARANTEE: one caller gets a member; it comes up again at ARGV 2, or when it has been stale for as long again.
-- The keys behind members are derived: which they are is known only here, and they share the slot of KEYS.
local function claim(index, upto, again, prefix)
  local claimed = {}
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', index, '-inf', upto, 'LIMIT', 0, ARGV[4])) do
    if redis.call('EXISTS', prefix .. member) == 1 then
      redis.call('ZADD', index, again, member)
      claimed[#claimed + 1] = member
    else
      redis.call('ZREM', index, member)
    end
  end
  return claimed
end
return {'OK', claim(KEYS[1], ARGV[1], ARGV[2], ARGV[5]), claim(KEYS[2], ARGV[3], ARGV[1], ARGV[6])}
