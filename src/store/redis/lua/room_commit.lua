#!lua
-- Purpose:   writes the next version of a room and its fan-out log entry, if no field that the decision relies on has changed.
-- KEYS:      1 outbox stream  2 index of timers  3 index of waiting outboxes  4 hash of the lasting fields
--            5 state hash  6 log stream  7 hash of the log's ids  8 hash of the participants' details
--            9… hashes of the groups, that of the participants first
-- ARGV:      1 now  2 tag  3 outbox items or ''  4 deadline or ''  5 deadline if no device is in  6 expire in ms or ''  7 node
--            8 end of the fan-out lease  9 most participants  10 most lasting fields  11 their TTL in ms  12 id of the log entry or ''
--            13 log entry  14 entries to keep  15 '1' if log_trim removes the others, or ''  16 number of reads  17 number of
--            writes; then field, version:tag or '' for each read, field, value or '' for each write, and webhook events, see webhooks
-- RETURNS:   {OK, version, 1 if the node has the fan-out lease, else 0, entries beyond those to keep, webhook events
--            that were refused} | {CONFLICT} | {FULL, 'participants' or 'lasting'} | {KNOWN, version of the log entry}
-- GUARANTEE: writes only if it returns OK. One node at a time has the lease. A room with an outbox does not expire: field x has the time
--            after which it does when fanout_next has emptied the outbox.
local outbox, timers, waiting, lasting, state, log, log_ids, details, participants = unpack(KEYS)
local now, tag, items, deadline, empty_deadline, expire_in, node, lease_until = unpack(ARGV, 1, 8)
local participants_max, lasting_max, lasting_ttl, entry_id, entry, keep, keeps_excess, reads, writes = unpack(ARGV, 9, 17)
local first_read, first_write = 18, 18 + 2 * reads
local last_write = first_write + 2 * writes - 1
-- include room_fields
-- include room_log
-- include fanout
-- include webhook_counts
-- include webhooks
-- include expire
if conflicts(first_read, first_write - 1) then return {'CONFLICT'} end
if exceeds(participants, participants_max, first_write, last_write) then return {'FULL', 'participants'} end
if exceeds(lasting, lasting_max, first_write, last_write) then return {'FULL', 'lasting'} end
local known = entry_id ~= '' and redis.call('HGET', log_ids, entry_id)
if known then return {'KNOWN', tonumber(known)} end
local webhooks = readWebhooks(last_write + 1)
local before, expiry, lease = unpack(redis.call('HMGET', state, 'v', 'x', 'd'))
local version = string.format('%d', (before or 0) + 1)
redis.call('HSET', state, 'v', version, 'x', expire_in)
write(first_write, last_write, version .. ':' .. tag)
redis.call('PEXPIRE', lasting, lasting_ttl)
local excess = entry_id == '' and {} or addEntry(version)
if items ~= '' then
  redis.call('XADD', outbox, version .. '-0', 'i', items, 'c', now, 't', tag)
  redis.call('ZADD', waiting, 'NX', now, outbox)
end
local waits, holder = redis.call('EXISTS', outbox) == 1, leaseHolder(lease, now)
if waits and not holder then
  holder = node
  redis.call('HSET', state, 'd', node .. '|' .. lease_until)
end
local due = math.min(tonumber(deadline) or math.huge, redis.call('EXISTS', participants) == 0 and empty_deadline or math.huge)
if expire_in ~= '' then redis.call('ZREM', timers, state)
elseif due < math.huge then -- A whole millisecond, so never a claim marker: see room_reschedule.
  redis.call('ZADD', timers, math.min(due, math.floor(redis.call('ZSCORE', timers, state) or due)), state)
end
if expire_in ~= '' and not waits then expireTogether(5, expire_in)
elseif expiry and expiry ~= '' then
  for i = 5, #KEYS do redis.call('PERSIST', KEYS[i]) end
end
return {'OK', tonumber(version), waits and holder == node and 1 or 0, excess, queueWebhooks(webhooks, version .. ':' .. tag)}
