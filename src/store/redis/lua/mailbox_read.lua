#!lua flags=no-writes
-- Purpose:   reads what follows a cursor, if the cursor names an event of this mailbox's history.
-- KEYS:      1 devices hash  2 mailbox
-- ARGV:      1 device  2 cursor's seq or 'start'  3 cursor's tag  4 most entries  5 now  6 retention  7 most weight
-- RETURNS:   {OK, head seq, head tag, entries} | {RESET, head seq, head tag, reason} | {NONE}
-- GUARANTEE: never a replay with something missing: the entry named must be there, with that tag, and all after it. Writes nothing.
--            The first entry is handed out whatever it weighs (see mailbox.lua), more of them only within ARGV 7.
-- include record
-- include mailbox
local text = redis.call('HGET', KEYS[1], ARGV[1])
local head, tag, _, birth, _, seen = string.match(text or '', RECORD)
if not head or seen + ARGV[6] < tonumber(ARGV[5]) then return {'NONE'} end
head = tonumber(head)
local function reset(reason) return {'RESET', head, tag, reason} end
local function take(from)
  local entries, weight, most = {}, 0, tonumber(ARGV[4])
  while #entries < most do
    local page = redis.call('XRANGE', KEYS[2], from, '+', 'COUNT', math.min(most - #entries, 16))
    for _, entry in ipairs(page) do
      weight = weight + weightOf(entry)
      if #entries > 0 and weight > tonumber(ARGV[7]) then return {'OK', head, tag, entries} end
      entries[#entries + 1] = entry
    end
    if #page < 16 then break end
    from = '(' .. page[16][1]
  end
  return {'OK', head, tag, entries}
end
if ARGV[2] == 'start' then return take('-') end
local seq = tonumber(ARGV[2])
if seq > head then return reset('future') end
if seq == head then
  if ARGV[3] ~= tag then return reset('unknown') end
  return {'OK', head, tag, {}}
end
local named = redis.call('XRANGE', KEYS[2], seq .. '-0', '+', 'COUNT', 1)[1]
if seq == 0 then
  if ARGV[3] ~= birth then return reset('unknown') end
  if not named or named[1] ~= '1-0' then return reset('evicted') end
  return take('-')
end
if not named or named[1] ~= seq .. '-0' then return reset('evicted') end
if named[2][2] ~= ARGV[3] then return reset('unknown') end
return take('(' .. seq .. '-0')
