#!lua flags=no-writes
-- Purpose:   reads what follows a cursor, if the cursor names an event of this mailbox's history.
-- KEYS:      1 devices hash  2 mailbox
-- ARGV:      1 device  2 cursor's seq or 'start'  3 cursor's tag  4 most entries  5 now  6 retention  7 most weight
-- RETURNS:   {OK, head seq, head tag, entries} | {RESET, head seq, head tag, reason} | {NONE}
-- GUARANTEE: never a replay with something missing: the entry named must be there, with that tag, and all after it. Writes nothing.
--            The first entry is handed out whatever it weighs (see mailbox.lua), more of them only within ARGV 7.
-- include record
-- include mailbox
local devices, mailbox = unpack(KEYS)
local device, cursor, cursor_tag, most, now, retention, most_weight = unpack(ARGV)
local head, tag, _, birth, _, seen = string.match(redis.call('HGET', devices, device) or '', RECORD)
if not head or seen + retention < tonumber(now) then return {'NONE'} end
head, most = tonumber(head), tonumber(most)
local function reset(reason) return {'RESET', head, tag, reason} end
local function take(from)
  local entries, weight = {}, 0
  while #entries < most do
    local page = redis.call('XRANGE', mailbox, from, '+', 'COUNT', math.min(most - #entries, 16))
    for _, entry in ipairs(page) do
      weight = weight + weightOf(entry)
      if #entries > 0 and weight > tonumber(most_weight) then return {'OK', head, tag, entries} end
      entries[#entries + 1] = entry
    end
    if #page < 16 then break end
    from = '(' .. page[16][1]
  end
  return {'OK', head, tag, entries}
end
if cursor == 'start' then return take('-') end
local seq = tonumber(cursor)
if seq > head then return reset('future') end
if seq == head then
  if cursor_tag ~= tag then return reset('unknown') end
  return {'OK', head, tag, {}}
end
local named = redis.call('XRANGE', mailbox, seq .. '-0', '+', 'COUNT', 1)[1]
if seq == 0 then
  if cursor_tag ~= birth then return reset('unknown') end
  if not named or named[1] ~= '1-0' then return reset('evicted') end
  return take('-')
end
if not named or named[1] ~= seq .. '-0' then return reset('evicted') end
if named[2][2] ~= cursor_tag then return reset('unknown') end
return take('(' .. seq .. '-0')
