-- The replication history of a server, as its INFO names it. A server takes another replication id when it restarts and when it becomes
-- primary, which is when it may lack writes that were acknowledged.
local function epochIn(info)
  return string.sub(string.match(info, 'master_replid:(%x+)'), 1, 12)
end
