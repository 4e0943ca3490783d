-- Reads the arguments one after the other.
local arguments_read = 0
local function arguments(count)
  arguments_read = arguments_read + count
  return unpack(ARGV, arguments_read - count + 1, arguments_read)
end
