#!lua flags=no-writes
-- Purpose:   reads the entries after a cursor.
-- KEYS:      1 devices hash  2 mailbox
-- ARGV:      1 device  2 seq of the cursor, or 'start'  3 tag of the cursor  4 most entries  5 most weight  6 now  7 retention in ms
-- RETURNS:   a page (see page) | {NONE}, the device is not registered
-- GUARANTEE: writes nothing. Never a page with an entry missing, see page.
-- include record
-- include mailbox
-- include page
local devices, mailbox = unpack(KEYS)
local device, cursor, cursor_tag, most, most_weight, now, retention = unpack(ARGV)
local seq, tag, _, birth, _, seen = string.match(redis.call('HGET', devices, device) or '', RECORD)
if not seq or seen + retention < tonumber(now) then return {'NONE'} end
local after, bounds = {cursor = cursor, tag = cursor_tag}, {most = tonumber(most), most_weight = tonumber(most_weight)}
return readPage(mailbox, {seq = seq, tag = tag, birth = birth}, after, bounds)
