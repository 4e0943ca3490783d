#!lua
-- Purpose:   delivers the mail of commits of one source to a user.
-- KEYS:      1 devices hash  2 commits of the source that the user's mailboxes have taken (see taken)  3 leases hash
--            4 state of the user's presence, which exists while the user is watched
-- ARGV:      bounds (see mail); prefix of the mailbox keys  channel; then for each commit, oldest first: version:tag  tag  mail (see mail)
-- RETURNS:   'OK|DUPLICATE|OVER online queued watched': what deliver_once returns, and 1 if the user is watched
-- GUARANTEE: all or nothing. Numbers are dense. A commit is taken once; another commit of the same version, made after a failover, is taken
--            as well.
-- include arguments
-- include record
-- include mailbox
-- include taken
-- include contact
-- include mail
-- include deliver
-- include deliver_once
local devices, taken, leases, presence = unpack(KEYS)
readBounds()
local prefix, channel = arguments(2)
local user = {devices = devices, taken = taken, leases = leases, prefix = prefix, channel = channel}
local mails = {}
while arguments_read < #ARGV do mails[#mails + 1] = readMail(arguments(2)) end
local status, online, queued = deliverOnce(user, mails)
return table.concat({status, online, queued, redis.call('EXISTS', presence)}, ' ')
