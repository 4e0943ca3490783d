-- Purpose:   appends an entry to a mailbox, a stream, and evicts the oldest entries by number and by weight.
-- The only field of an entry is its text: tag, type and envelope, a line each. An entry weighs its text and ENTRY_WEIGHT bytes. Its id is
-- seq-sum, where sum is the weight of all entries that were ever appended up to it, so the weight of the kept entries is a difference of two
-- sums. The oldest entry is read only when the sum passes a multiple of an eighth of the bound. An eighth is then freed, so the weight stays
-- within the bound.
-- RETURNS:   add(): the new sum
-- GUARANTEE: the newest entry is kept whatever its weight.
local ENTRY_WEIGHT = 40
local function weightOf(entry) return #entry[2][2] + ENTRY_WEIGHT end
local function add(key, seq, sum, text, most, bound)
  local total, step = sum + #text + ENTRY_WEIGHT, math.floor(bound / 8)
  -- An entry above the bound must be evicted by the next one. The sum is rounded up, so that whatever comes next passes a multiple of an eighth.
  if total - sum > tonumber(bound) then total = (math.floor(total / step) + 1) * step - 1 end
  local id = string.format('%d-%d', seq, total)
  redis.call('XADD', key, 'MAXLEN', '~', most, id, 'e', text)
  local oldest, from = math.floor(total / step) == math.floor(sum / step), '-'
  while not oldest do
    for _, entry in ipairs(redis.call('XRANGE', key, from, '+', 'COUNT', 8)) do
      oldest, from = entry[1], '(' .. entry[1]
      if total - string.match(oldest, '%d+$') + weightOf(entry) <= bound - step or oldest == id then break end
      oldest = nil
    end
    if oldest then redis.call('XTRIM', key, 'MINID', oldest) end
  end
  return total
end
