-- Purpose:   the commits of a source that a user's mailboxes have taken, so that a repeat is dropped: one text, version:tag of the last
--            TAKEN_MAX commits, newest first, separated by blanks. The last commit of the source's life is marked with '!'.
-- ../../taken-commits.ts does the same for memory, without lives.
local TAKEN_MAX = 8
local function parseTaken(text)
  local taken = {}
  for stamp in string.gmatch(text or '', '%S+') do taken[#taken + 1] = stamp end
  return taken
end

-- `role`: '1' for the first commit of the source's life, '!' for the last one, or ''. Returns the commits to remember once this one is taken;
-- nil if it must be dropped: it is a repeat, or older than all that are remembered, or the source has ended. An older version that is not
-- remembered belongs to a history that began after a failover: the versions from it on are forgotten.
local function addTaken(taken, stamp, role)
  if role == '!' then stamp = stamp .. role end
  local version, remembered = tonumber(string.match(stamp, '^%d+')), {stamp}
  for i, other in ipairs(taken) do
    local other_version = tonumber(string.match(other, '^%d+'))
    if other == stamp or (i == TAKEN_MAX and version < other_version) then return nil end
    if other_version < version and #remembered < TAKEN_MAX then remembered[#remembered + 1] = other end
  end
  -- Once the end ('!') was taken, only the first commit ('1') of a new life is. A second end is dropped: the source had lost the first one and
  -- was ended again. Any other commit means that the source still lacks its end; the second result is then true.
  if role ~= '1' and string.sub(taken[1] or '', -1) == '!' then return nil, role == '' end
  return remembered
end
