-- Purpose:   reads the entries after a cursor, if the cursor names an event of this mailbox's history.
-- record: {seq, tag, birth}, the head and the tag of the empty mailbox. after: {cursor, tag}, a seq or 'start'. bounds: {most, most_weight}.
-- RETURNS:   readPage(): {OK, head seq, head tag, entries} | {RESET, head seq, head tag, evicted | unknown | future}
-- GUARANTEE: never a page with an entry missing: OK only if the named entry is in the mailbox with that tag, and all after it. The first
--            entry is returned whatever its weight, more entries only within most_weight.
local function readPage(mailbox, record, after, bounds)
  local head, tag, birth = tonumber(record.seq), record.tag, record.birth
  local function reset(reason) return {'RESET', head, tag, reason} end
  local function take(from)
    local entries, weight = {}, 0
    while #entries < bounds.most do
      local page = redis.call('XRANGE', mailbox, from, '+', 'COUNT', math.min(bounds.most - #entries, 16))
      for _, entry in ipairs(page) do
        weight = weight + weightOf(entry)
        if #entries > 0 and weight > bounds.most_weight then return {'OK', head, tag, entries} end
        entries[#entries + 1] = entry
      end
      if #page < 16 then break end
      from = '(' .. page[16][1]
    end
    return {'OK', head, tag, entries}
  end
  if after.cursor == 'start' then return take('-') end
  local seq = tonumber(after.cursor)
  if seq > head then return reset('future') end
  if seq == head then
    if after.tag ~= tag then return reset('unknown') end
    return {'OK', head, tag, {}}
  end
  local named = redis.call('XRANGE', mailbox, seq .. '-0', '+', 'COUNT', 1)[1]
  local number = named and tonumber(string.match(named[1], '^%d+'))
  if seq == 0 then
    if after.tag ~= birth then return reset('unknown') end
    if number ~= 1 then return reset('evicted') end
    return take('-')
  end
  if number ~= seq then return reset('evicted') end
  if string.match(named[2][2], '^[^\n]*') ~= after.tag then return reset('unknown') end
  return take('(' .. named[1])
end
