-- Reads what deliver() delivers, from the arguments.
-- Bounds are: now  retention  ttl of what is remembered of the source  most entries  ttl of a mailbox  most weight
local bounds = {}
local function readBounds()
  bounds.now, bounds.retention, bounds.taken_ttl, bounds.entries, bounds.ttl, bounds.weight = arguments(6)
  bounds.now, bounds.retention = tonumber(bounds.now), tonumber(bounds.retention)
end

-- The arguments of what one commit says to one user: role (see taken)  holder whose lease is released, or ''  number of entries, and for
-- each of them: device or ''  ,excepted,devices, or ''  text (see mailbox); then '1' and what is said of a peer (see contact), or ''
local function readMail(stamp, tag)
  local role, release, count = arguments(3)
  local mail = {stamp = stamp, tag = tag, role = role, release = release, entries = {}}
  for i = 1, tonumber(count) do
    local device, except, text = arguments(3)
    mail.entries[i] = {device = device, except = except, text = text}
  end
  if arguments(1) == '1' then mail.note = readNote() end
  return mail
end
