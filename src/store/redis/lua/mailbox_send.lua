#!lua
-- Purpose:   sends one event to one device, for what changed nothing, where all keys lie on one server.
-- KEYS:      1 devices hash  2 mailbox  3 state hash of the source, if a commit matters
-- ARGV:      what send.lua reads; 11 version:tag of the commit it was decided on, or ''
-- RETURNS:   online | queued | none | moved | 'behind version', the commit that stands, 0 for none
-- GUARANTEE: all or nothing; numbers are dense; nothing is sent that was decided on a commit that does not stand.
-- include record
-- include mailbox
-- include send
local devices, mailbox, state = unpack(KEYS)
local stamp = state and (redis.call('HGET', state, 'v') or '0')
if stamp and stamp ~= ARGV[11] then return 'behind ' .. string.match(stamp, '^%d+') end
return send(devices, mailbox)
