-- Purpose:   reads ARGV in order.
-- RETURNS:   arguments(count): the next `count` arguments
local arguments_read = 0
local function arguments(count)
  arguments_read = arguments_read + count
  return unpack(ARGV, arguments_read - count + 1, arguments_read)
end
