-- Purpose:   counts the webhook queues of each destination: those in an index of timers. The hash `index:queues` has the counts. It lies in the
--            slot of the index, so its name is made here.
-- GUARANTEE: a count changes in the step that adds the queue to the index or removes it.
local function countsOf(index) return index .. ':queues' end
-- The id of a queue begins with its destination. Nil: not the state key of a webhook queue.
local function destinationOf(key) return string.match(key, ':state:webhook:([^/]+)/') end
local function countQueues(index, key) return tonumber(redis.call('HGET', countsOf(index), destinationOf(key)) or 0) end

local function addQueue(index, deadline, key)
  if redis.call('ZADD', index, deadline, key) == 1 then redis.call('HINCRBY', countsOf(index), destinationOf(key), 1) end
end

-- Also for the state keys of other kinds.
local function removeFromIndex(index, key)
  local destination = destinationOf(key)
  if redis.call('ZREM', index, key) == 0 or not destination then return end
  if redis.call('HINCRBY', countsOf(index), destination, -1) <= 0 then redis.call('HDEL', countsOf(index), destination) end
end
