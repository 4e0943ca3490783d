-- Purpose:   the delivery lease of a webhook queue (see webhooks), and the events that its holder has delivered. After a failed delivery no
--            node holds the lease until the back-off is over.
-- RETURNS:   isFree(lease, node, now): whether no other node may deliver
local function isFree(lease, node, now)
  local holder, lease_until = string.match(lease or '', '^(.*)|(%d+)$')
  return not holder or holder == node or tonumber(lease_until) <= tonumber(now)
end

-- Removes the events up to `done`, which names an event: number|version:tag|index. Returns the number of the first event that is left, and
-- whether any was removed: none if the queue does not have exactly that event.
local function removeDone(queue, first, done)
  first = tonumber(first)
  local number, event = string.match(done, '^(%d+)|(.*)$')
  local text = number and tonumber(number) >= first and redis.call('HGET', queue, number)
  if not text or string.sub(text, 1, #event + 1) ~= event .. '|' then return first, false end
  for each = first, tonumber(number) do redis.call('HDEL', queue, string.format('%d', each)) end
  return tonumber(number) + 1, true
end
