-- Purpose:   reads mail, and the bounds of the mailboxes that it goes to.
-- ARGV:      bounds: now  retention in ms  TTL of the commits that are remembered  most entries  TTL of a mailbox  most weight
--            mail of one commit to one user: role (see taken)  holder whose lease is released, or ''  number of entries, and for each of
--            them: device or ''  excepted devices or ''  text (see mailbox); then the number of contact updates, and each of them (see contact)
local bounds = {}
local function readBounds()
  bounds.now, bounds.retention, bounds.taken_ttl, bounds.entries, bounds.ttl, bounds.weight = arguments(6)
  bounds.now, bounds.retention = tonumber(bounds.now), tonumber(bounds.retention)
end

-- `stamp` (version:tag) and `tag` are those of the commit.
local function readMail(stamp, tag)
  local role, release, count = arguments(3)
  local mail = {stamp = stamp, tag = tag, role = role, release = release, entries = {}, contacts = {}}
  for i = 1, tonumber(count) do
    local device, except, text = arguments(3)
    mail.entries[i] = {device = device, except = except, text = text}
  end
  for i = 1, tonumber(arguments(1)) do mail.contacts[i] = readContactUpdate() end
  return mail
end
