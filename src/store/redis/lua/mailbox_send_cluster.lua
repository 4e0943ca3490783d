#!lua
-- Purpose:   mailbox_send on a Cluster, where the source lies in another slot.
-- KEYS:      1 devices hash  2 mailbox  3 commits of the source that the user's mailboxes have taken, if a commit matters
-- ARGV:      what send.lua reads; 11 version:tag of the commit it was decided on, or ''  12 ttl of what is remembered of the source
-- RETURNS:   online | queued | none | moved | 'behind version', the newest commit taken
-- GUARANTEE: all or nothing; numbers are dense; nothing follows a commit that it was not decided on. A commit that the mailboxes do
--            not know (they forgot it) is remembered, so that nothing decided on an older one follows.
-- include record
-- include mailbox
-- include taken
-- include send
local devices, mailbox, source = unpack(KEYS)
local stamp, taken = ARGV[11], source and redis.call('GET', source) or ''
local isNew = source and string.match(taken, '^%S*') ~= stamp
if isNew then
  local newest = string.match(taken, '^%d+') or '0'
  if tonumber(newest) >= tonumber(string.match(stamp, '^%d+')) then return 'behind ' .. newest end
end
local sent = send(devices, mailbox)
if isNew and (sent == 'online' or sent == 'queued') then
  redis.call('SET', source, table.concat(withTaken(takenIn(taken), stamp, '1'), ' '), 'PX', ARGV[12])
end
return sent
