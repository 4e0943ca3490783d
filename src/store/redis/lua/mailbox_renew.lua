#!lua
-- Purpose:   records a keepalive of a registered device.
-- KEYS:      1 devices hash  2 epoch of the partition
-- ARGV:      bounds (see mail); prefix of the mailbox keys  channel; a keepalive (see renew)
-- RETURNS:   {seq, tag} of the head | {}, the device must be touched first
-- GUARANTEE: registers no device, and writes nothing on {}.
-- include arguments
-- include record
-- include mail
-- include renew
local devices, epoch = unpack(KEYS)
readBounds()
local prefix, channel = arguments(2)
local user, keepalive = {devices = devices, epoch = epoch, prefix = prefix, channel = channel}, readKeepalive()
if not canRenew(user, keepalive) then return {} end
return renew(user, keepalive)
