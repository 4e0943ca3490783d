-- Delivers mails of one source, oldest first, each once: user.taken is the key of those taken. Returns OK, DUPLICATE (none was taken) or
-- OVER (the source had ended), and how many devices took an entry of the last mail that was taken: online, queued.
local function deliverOnce(user, mails)
  local boxes, taken, turn, over = {}, takenIn(redis.call('GET', user.taken)), 0, false
  for _, mail in ipairs(mails) do
    if mail.release ~= '' then redis.call('HDEL', user.leases, mail.release) end
    local kept, refused = withTaken(taken, mail.stamp, mail.role)
    over = over or refused
    if kept then
      taken, turn = kept, turn + 1
      put(user, mail, boxes, turn)
    end
  end
  if turn == 0 then return over and 'OVER' or 'DUPLICATE', 0, 0 end
  redis.call('SET', user.taken, table.concat(taken, ' '), 'PX', bounds.taken_ttl)
  return over and 'OVER' or 'OK', wake(user, boxes, turn)
end
