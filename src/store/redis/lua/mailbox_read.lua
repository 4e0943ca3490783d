#!lua
-- Purpose:   reads what follows a cursor, if the cursor names an event of this mailbox's history.
-- KEYS:      1 devices hash  2 mailbox
-- ARGV:      1 device  2 cursor's seq or 'start'  3 cursor's tag  4 limit  5 now  6 retention
-- RETURNS:   {OK, head seq, head tag, entries} | {RESET, head seq, head tag, reason} | {NONE}
-- GUARANTEE: never a replay with something missing: the entry named must be there, with that tag, and all after it. Writes nothing.
-- include record
local text = redis.call('HGET', KEYS[1], ARGV[1])
local head, tag, birth, seen = string.match(text or '', RECORD)
if not head or seen + ARGV[6] < tonumber(ARGV[5]) then return {'NONE'} end
head = tonumber(head)
local function reset(reason) return {'RESET', head, tag, reason} end
if ARGV[2] == 'start' then
  return {'OK', head, tag, redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', ARGV[4])}
end
local seq = tonumber(ARGV[2])
if seq > head then return reset('future') end
if seq == head then
  if ARGV[3] ~= tag then return reset('unknown') end
  return {'OK', head, tag, {}}
end
if seq == 0 then
  if ARGV[3] ~= birth then return reset('unknown') end
  local entries = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', ARGV[4])
  if not entries[1] or entries[1][1] ~= '1-0' then return reset('evicted') end
  return {'OK', head, tag, entries}
end
local entries = redis.call('XRANGE', KEYS[2], seq .. '-0', '+', 'COUNT', ARGV[4] + 1)
local named = table.remove(entries, 1)
if not named or named[1] ~= seq .. '-0' then return reset('evicted') end
if named[2][2] ~= ARGV[3] then return reset('unknown') end
return {'OK', head, tag, entries}
