#!lua
-- Purpose:   delivers what commits of one kind of source say to several users, where all keys lie on one server. What is said to many
--            of them stands in the arguments once.
-- KEYS:      for each user: devices hash  commits that the user's mailboxes have taken, see mailbox_append
-- ARGV:      bounds (see mail); number of events, then for each: version:tag  tag  text (see mailbox); then for each user: prefix of the
--            mailboxes  channel  number of audiences, for each of them: device or ''  ,excepted,devices, or ''; and what the user is
--            told, in order and with blanks between: <number of an audience>.<number of an event>
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
  local audiences, mails, last = {}, {}, {}
  for i = 1, tonumber(arguments(1)) do
    local device, except = arguments(2)
    audiences[i] = {device = device, except = except}
  end
  for audience, number in string.gmatch(arguments(1), '(%d+)%.(%d+)') do
    local to, event = audiences[tonumber(audience)], events[tonumber(number)]
    if last.stamp ~= event.stamp then
      last = {stamp = event.stamp, tag = event.tag, role = '', release = '', entries = {}}
      mails[#mails + 1] = last
    end
    last.entries[#last.entries + 1] = {device = to.device, except = to.except, text = event.text}
  end
  return mails
end
for i = 1, #KEYS, 2 do
  local prefix, channel = arguments(2)
  deliverOnce({devices = KEYS[i], taken = KEYS[i + 1], prefix = prefix, channel = channel}, readMails())
end
return 'OK'
