#!lua
-- Purpose:   delivers what commits of one source say to a user.
-- KEYS:      1 devices hash  2 commits of the source that the user's mailboxes have taken: version:tag, newest first  3 leases
--            4 state of the user's presence, if they are watched
-- ARGV:      bounds (see mail); prefix of the mailboxes  channel; then for each commit, oldest first: version:tag  tag  mail (see mail)
-- RETURNS:   'OK | DUPLICATE | OVER  online  queued  1 if the user is watched', as deliver_once says
-- GUARANTEE: all or nothing; numbers are dense; a commit is taken once, and told from one of the same version that a failover forgot.
-- include arguments
-- include record
-- include mailbox
-- include taken
-- include contact
-- include mail
-- include deliver
-- include deliver_once
readBounds()
local prefix, channel = arguments(2)
local user = {devices = KEYS[1], taken = KEYS[2], leases = KEYS[3], prefix = prefix, channel = channel}
local mails = {}
while arguments_read < #ARGV do mails[#mails + 1] = readMail(arguments(2)) end
local status, online, queued = deliverOnce(user, mails)
return table.concat({status, online, queued, redis.call('EXISTS', KEYS[4])}, ' ')
