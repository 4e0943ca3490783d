#!lua
-- Purpose:   mailbox_send on a Cluster, where the state of the source lies in another slot: the newest commit of the source that the user's
--            mailboxes have taken stands for it.
-- KEYS:      1 devices hash  2 mailbox  3 commits of the source that the mailboxes have taken (see taken), if the event was decided on one
-- ARGV:      1–10 see send  11 version:tag of the commit that the event was decided on, or ''  12 TTL of KEYS 3 in ms
-- RETURNS:   online | queued | none | moved (see send) | 'behind version': a commit that is not older was taken, 0 for none
-- GUARANTEE: all or nothing. Numbers are dense. A commit that is newer than all taken ones was lost in a failover: it is remembered, so that
--            no event that was decided on an older one follows.
-- include record
-- include mailbox
-- include taken
-- include send
local devices, mailbox, source = unpack(KEYS)
local basis, taken_ttl = unpack(ARGV, 11, 12)
local taken = source and redis.call('GET', source) or ''
local is_unknown = source and string.match(taken, '^%S*') ~= basis
if is_unknown then
  local newest = string.match(taken, '^%d+') or '0'
  if tonumber(newest) >= tonumber(string.match(basis, '^%d+')) then return 'behind ' .. newest end
end
local status = send(devices, mailbox)
if is_unknown and (status == 'online' or status == 'queued') then
  redis.call('SET', source, table.concat(addTaken(parseTaken(taken), basis, '1'), ' '), 'PX', taken_ttl)
end
return status
