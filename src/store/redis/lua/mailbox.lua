-- Adds an entry to a mailbox and evicts the oldest ones, by number and by weight. The only field of an entry is its text: tag, type and
-- envelope, a line each. It weighs its text and 40 bytes. Its id is seq-sum, and the sum is the weight of every entry that the mailbox
-- ever took up to it, so the weight of what is kept is a difference of two sums. The oldest entry is read only when the sum passes
-- another eighth of the bound; an eighth is then made free, so the bound always holds.
-- The newest entry stays, whatever it weighs. Returns the new sum.
local ENTRY_WEIGHT = 40
local function weightOf(entry) return #entry[2][2] + ENTRY_WEIGHT end
local function add(key, seq, sum, text, most, bound)
  local total, step = sum + #text + ENTRY_WEIGHT, math.floor(bound / 8)
  -- What is larger than the bound goes with the next entry: the sum is rounded up, so that any entry passes an eighth.
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
