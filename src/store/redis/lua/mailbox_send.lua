#!lua
-- Purpose:   appends an event that belongs to no commit to the mailbox of one device, where all keys lie on one server.
-- KEYS:      1 devices hash  2 mailbox  3 state hash of the source, if the event was decided on a commit
-- ARGV:      1–10 see send  11 version:tag of the commit that the event was decided on, or ''
-- RETURNS:   online | queued | none | moved (see send) | 'behind version': another commit stands, 0 for none
-- GUARANTEE: all or nothing. Numbers are dense. 'behind' writes nothing.
-- include record
-- include mailbox
-- include send
local devices, mailbox, state = unpack(KEYS)
local basis = ARGV[11]
local current = state and (redis.call('HGET', state, 'v') or '0')
if current and current ~= basis then return 'behind ' .. string.match(current, '^%d+') end
return send(devices, mailbox)
