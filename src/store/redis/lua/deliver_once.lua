-- Purpose:   delivers mail of commits of one source, oldest first, and drops commits that the user's mailboxes have taken. user.taken is the
--            key of these.
-- RETURNS:   OK, or DUPLICATE if all commits were dropped, or OVER if the source had ended before one of them; then how many devices got an
--            entry of the last mail that was not dropped: online, queued
-- GUARANTEE: the last commit of the source's life releases its lease also when it is repeated. Any other releases it only once: the user may
--            have taken it again since.
local function deliverOnce(user, mails)
  local opened, taken, number, is_over = {}, parseTaken(redis.call('GET', user.taken)), 0, false
  for _, mail in ipairs(mails) do
    local remembered, is_after_end = addTaken(taken, mail.stamp, mail.role)
    if mail.release ~= '' and (remembered or mail.role == '!') then redis.call('HDEL', user.leases, mail.release) end
    is_over = is_over or is_after_end
    if remembered then
      taken, number = remembered, number + 1
      put(user, mail, opened, number)
    end
  end
  if number == 0 then return is_over and 'OVER' or 'DUPLICATE', 0, 0 end
  redis.call('SET', user.taken, table.concat(taken, ' '), 'PX', bounds.taken_ttl)
  return is_over and 'OVER' or 'OK', wake(user, opened, number)
end
