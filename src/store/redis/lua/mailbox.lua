-- Adds an entry to a mailbox and evicts the oldest ones, by number and by weight. An entry weighs its envelope and 64 bytes.
-- Every entry carries the mailbox's sum up to itself (b), so the weight of what is kept is a difference of two sums. The oldest
-- entry is read only when the sum passes another eighth of the bound; an eighth is then made free, so the bound always holds.
-- The newest entry stays, whatever it weighs. Returns the new sum.
local ENTRY_WEIGHT = 64
local function weightOf(entry) return #entry[2][6] + ENTRY_WEIGHT end
local function add(key, seq, sum, fields, most, bound)
  local total, step = sum + #fields.e + ENTRY_WEIGHT, math.floor(bound / 8)
  -- What is larger than the bound goes with the next entry: the sum is rounded up, so that any entry passes an eighth.
  if total - sum > tonumber(bound) then total = (math.floor(total / step) + 1) * step - 1 end
  redis.call('XADD', key, 'MAXLEN', '~', most, seq .. '-0', 't', fields.t, 'y', fields.y, 'e', fields.e, 'b', string.format('%d', total))
  local oldest, from = math.floor(total / step) == math.floor(sum / step), '-'
  while not oldest do
    for _, entry in ipairs(redis.call('XRANGE', key, from, '+', 'COUNT', 8)) do
      oldest, from = entry[1], '(' .. entry[1]
      if total - entry[2][8] + weightOf(entry) <= bound - step or oldest == seq .. '-0' then break end
      oldest = nil
    end
    if oldest then redis.call('XTRIM', key, 'MINID', oldest) end
  end
  return string.format('%d', total)
end
