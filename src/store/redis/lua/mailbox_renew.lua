#!lua
-- Purpose:   a sign of life of a device that is registered.
-- KEYS:      1 devices hash  2 epoch of the partition
-- ARGV:      bounds (see mail); prefix of the mailboxes  channel; a sign of life (see renew)
-- RETURNS:   {seq, tag} of the head | {}, the device is not registered, or has to take note of another epoch first
-- GUARANTEE: registers nothing.
-- include arguments
-- include record
-- include mail
-- include renew
readBounds()
local prefix, channel = arguments(2)
local user, sign = {devices = KEYS[1], epoch = KEYS[2], prefix = prefix, channel = channel}, readSign()
if not renewable(user, sign) then return {} end
return renew(user, sign)
