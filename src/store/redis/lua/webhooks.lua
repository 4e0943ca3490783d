-- Purpose:   queues the events of a commit for webhooks. A queue is a hash: number of its first event (h) and of the next one (t), lease (l:
--            node|until), failed attempts (a), dropped events (d), and each event by its number: version:tag|index|expires at|type|envelope.
-- ARGV:      nothing without events. Else: index of timers  first number and  deadline of a new queue  most events of a queue  most queues
--            of a destination  TTL in ms  number of events, and for each: what follows the stamp in its text; then for each queue: its key,
--            and the events of it: their numbers in ARGV, separated by blanks
-- GUARANTEE: a queue never has more events than it may: the oldest are dropped and counted.
local function readWebhooks(first_argument)
  local webhooks = {texts = {}, queues = {}}
  if not ARGV[first_argument] then return webhooks end
  webhooks.timers, webhooks.start, webhooks.deadline, webhooks.events_max, webhooks.queues_max, webhooks.ttl, webhooks.count =
    unpack(ARGV, first_argument, first_argument + 6)
  local before_texts = first_argument + 6
  for i = 1, tonumber(webhooks.count) do webhooks.texts[i] = ARGV[before_texts + i] end
  for i = before_texts + webhooks.count + 1, #ARGV, 2 do
    -- Read here, so that a script that fails does so before it writes.
    local first, after_last = unpack(redis.call('HMGET', ARGV[i], 'h', 't'))
    local may_begin = first or countQueues(webhooks.timers, ARGV[i]) < tonumber(webhooks.queues_max)
    webhooks.queues[#webhooks.queues + 1] =
      {key = ARGV[i], events = ARGV[i + 1], first = first, after_last = after_last, may_begin = may_begin}
  end
  return webhooks
end

local function appendTo(queue, webhooks, stamp)
  local first = tonumber(queue.first or webhooks.start)
  local number, fields = tonumber(queue.after_last or first), {}
  for event in string.gmatch(queue.events, '%d+') do
    fields[#fields + 1] = string.format('%d', number)
    fields[#fields + 1] = stamp .. '|' .. webhooks.texts[tonumber(event)]
    number = number + 1
  end
  local excess = math.max(0, number - first - webhooks.events_max)
  local head, after_last = string.format('%d', first + excess), string.format('%d', number)
  redis.call('HSET', queue.key, 'h', head, 't', after_last, unpack(fields))
  for dropped = first, first + excess - 1 do redis.call('HDEL', queue.key, string.format('%d', dropped)) end
  if excess > 0 then redis.call('HINCRBY', queue.key, 'd', excess) end
  redis.call('PEXPIRE', queue.key, webhooks.ttl)
  -- The index may still have a later deadline of a queue of this name that has expired.
  if not queue.first or not redis.call('ZSCORE', webhooks.timers, queue.key) then addQueue(webhooks.timers, webhooks.deadline, queue.key) end
end

-- `stamp` (version:tag) is that of the commit. Returns how many events were refused because too many queues of their destination wait.
local function queueWebhooks(webhooks, stamp)
  local refused = 0
  for _, queue in ipairs(webhooks.queues) do
    if queue.may_begin then appendTo(queue, webhooks, stamp)
    else refused = refused + select(2, string.gsub(queue.events, '%d+', '')) end
  end
  return refused
end
