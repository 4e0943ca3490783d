#!lua flags=no-writes
-- Purpose:   reads what follows a cursor, if the cursor names an event of this mailbox's history.
-- KEYS:      1 devices hash  2 mailbox
-- ARGV:      1 device  2 cursor's seq or 'start'  3 cursor's tag  4 most entries  5 most weight  6 now  7 retention
-- RETURNS:   what page.lua returns | {NONE}
-- GUARANTEE: never a replay with something missing: the entry named must be there, with that tag, and all after it. Writes nothing.
-- include record
-- include mailbox
-- include page
local devices, mailbox = unpack(KEYS)
local device, cursor, cursor_tag, most, most_weight, now, retention = unpack(ARGV)
local seq, tag, _, birth, _, seen = string.match(redis.call('HGET', devices, device) or '', RECORD)
if not seq or seen + retention < tonumber(now) then return {'NONE'} end
local after, bounds = {cursor = cursor, tag = cursor_tag}, {most = tonumber(most), most_weight = tonumber(most_weight)}
return readPage(mailbox, {seq = seq, tag = tag, birth = birth}, after, bounds)
