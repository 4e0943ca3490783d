-- Purpose:   the epoch of a server: the first 12 digits of its replication id. A server takes another replication id when it restarts and when
--            it is promoted to primary; then it may lack writes that were acknowledged.
-- RETURNS:   epochIn(info): the epoch in the reply to INFO replication
local function epochIn(info)
  return string.sub(string.match(info, 'master_replid:(%x+)'), 1, 12)
end
