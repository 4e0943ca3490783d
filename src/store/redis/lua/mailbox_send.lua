#!lua
-- Purpose:   appends one event to one device's mailbox and wakes it: the short way of mailbox_append, for what changed nothing.
-- KEYS:      1 devices hash  2 commits of the source that the user's mailboxes have taken: version:tag, newest first  3 mailbox
-- ARGV:      1 channel  2 device  3 version:tag of the commit it was decided on, or '' if none matters  4 tag  5 now  6 retention
--            7 most events  8 mailbox's ttl  9 type  10 envelope  11 where the mailbox must stand: seq|tag, or ''
--            12 most weight  13 ttl of what is remembered of the source
-- RETURNS:   online | queued | none | moved | 'behind version', the newest commit taken
-- GUARANTEE: all or nothing; numbers are dense; nothing follows a commit that it was not decided on. A commit that the mailboxes do
-- not know (they forgot it) is remembered, so that nothing decided on an older one follows.
-- include record
-- include mailbox
-- include taken
local taken = redis.call('GET', KEYS[2]) or ''
local isNew = ARGV[3] ~= '' and string.match(taken, '^%S*') ~= ARGV[3]
if isNew then
  local newest = string.match(taken, '^%d+') or '0'
  if tonumber(newest) >= tonumber(string.match(ARGV[3], '^%d+')) then return 'behind ' .. newest end
end
local device, tag = ARGV[2], ARGV[4]
local seq, before, sum, rest, seen, till, connection = string.match(redis.call('HGET', KEYS[1], device) or '', RECORD_HEAD)
if not seq or seen + ARGV[6] < tonumber(ARGV[5]) then return 'none' end
if ARGV[11] ~= '' and ARGV[11] ~= seq .. '|' .. before then return 'moved' end
if isNew then redis.call('SET', KEYS[2], table.concat(withTaken(takenIn(taken), ARGV[3], '1'), ' '), 'PX', ARGV[13]) end
-- As text once: every number that Lua appends to a text is formatted anew.
seq = string.format('%d', seq + 1)
sum = add(KEYS[3], seq, sum, {t = tag, y = ARGV[9], e = ARGV[10]}, ARGV[7], ARGV[12])
redis.call('HSET', KEYS[1], device, table.concat({seq, tag, sum, rest}, '|'))
if seq == '1' then redis.call('PEXPIRE', KEYS[3], ARGV[8]) end
if connection == '' then return 'queued' end
redis.call('SPUBLISH', ARGV[1], table.concat({'event', device, before, seq, tag, ARGV[9], ARGV[10]}, '\n'))
return tonumber(till) > tonumber(ARGV[5]) and 'online' or 'queued'
