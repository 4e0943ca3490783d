-- Purpose:   drops the entries of an outbox up to the one of this stamp (version:tag).
-- GUARANTEE: drops nothing unless that entry is there and has that tag. After a failover its version may belong to another entry.
local function dropUpTo(outbox, stamp)
  local version, tag = string.match(stamp, '^(%d+):(.*)$')
  local entry = version and redis.call('XRANGE', outbox, version .. '-0', version .. '-0')[1]
  if entry and entry[2][6] == tag then redis.call('XTRIM', outbox, 'MINID', string.format('%d-0', version + 1)) end
end
