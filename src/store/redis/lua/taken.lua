-- Which commits of a source a user's mailboxes have taken, where they come from an outbox and may come again: version:tag of the last ones,
-- newest first, in one text. The last one of a life of the source is marked with an exclamation mark.
local TAKEN_MAX = 8
local function takenIn(text)
  local taken = {}
  for stamp in string.gmatch(text or '', '%S+') do taken[#taken + 1] = stamp end
  return taken
end
-- `role`: '!' for the last commit of a life of the source, '1' for the first, or ''. What is remembered once this one is taken; nil if it was taken before or is older than all that is remembered. An older one that
-- is not remembered begins another history, made after a failover forgot the first.
local function withTaken(taken, stamp, role)
  if role == '!' then stamp = stamp .. role end
  local version, kept = tonumber(string.match(stamp, '^%d+')), {stamp}
  for i, other in ipairs(taken) do
    local at = tonumber(string.match(other, '^%d+'))
    if other == stamp or (i == TAKEN_MAX and version < at) then return nil end
    if at < version and #kept < TAKEN_MAX then kept[#kept + 1] = other end
  end
  -- Nothing but another life follows the last one; an end that was made anew is known already.
  if role ~= '1' and string.sub(taken[1] or '', -1) == '!' then return nil, role == '' end
  return kept
end
