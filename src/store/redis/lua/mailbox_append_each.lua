#!lua
-- Purpose:   delivers the mail of commits to several users, where all keys lie on one server. An event for many users is passed once.
-- KEYS:      for each user: devices hash  commits of the source that the user's mailboxes have taken (see taken)
-- ARGV:      bounds (see mail); number of events, then for each of them: version:tag  tag  text (see mailbox); then for each user: prefix of
--            the mailbox keys  channel  number of recipient lists, for each of them: device or ''  excepted devices or ''; then the
--            entries in order, separated by blanks: <number of a recipient list>.<number of an event>
-- RETURNS:   OK
-- GUARANTEE: that of mailbox_append, for each user.
-- include arguments
-- include record
-- include mailbox
-- include taken
-- include contact
-- include mail
-- include deliver
-- include deliver_once
readBounds()
local events = {}
for i = 1, tonumber(arguments(1)) do
  local stamp, tag, text = arguments(3)
  events[i] = {stamp = stamp, tag = tag, text = text}
end
local function readMails()
  local recipients, mails, last = {}, {}, {}
  for i = 1, tonumber(arguments(1)) do
    local device, except = arguments(2)
    recipients[i] = {device = device, except = except}
  end
  for list, number in string.gmatch(arguments(1), '(%d+)%.(%d+)') do
    local to, event = recipients[tonumber(list)], events[tonumber(number)]
    if last.stamp ~= event.stamp then
      last = {stamp = event.stamp, tag = event.tag, role = '', release = '', entries = {}, contacts = {}}
      mails[#mails + 1] = last
    end
    last.entries[#last.entries + 1] = {device = to.device, except = to.except, text = event.text}
  end
  return mails
end
for i = 1, #KEYS, 2 do
  local devices, taken = unpack(KEYS, i, i + 1)
  local prefix, channel = arguments(2)
  deliverOnce({devices = devices, taken = taken, prefix = prefix, channel = channel}, readMails())
end
return 'OK'
