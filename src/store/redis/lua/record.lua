-- A device's record is one text: seq|tag|sum|birth tag|epoch|seen at|online until|connection|auth expires at|requested at|status.
-- `sum` is the weight of every entry that the mailbox ever took, see mailbox.lua.
-- `epoch` is that of the partition when the device was last touched, see epoch_record.
-- Without a connection, `online until` is when the last one closed, or 0 if there was a sign of life since.
-- `auth expires at` is that of the connection's token, '' when it never expires or there is no connection yet.
-- `requested at` is that of the last request besides the stream or poll itself, 0 for none.
-- Only the status, which comes last, may contain a bar; numbers are whole. ../record.ts reads the same order.
local RECORD = '^(%d+)|([^|]*)|(%d+)|([^|]*)|([^|]*)|(%d+)|(%d+)|([^|]*)|(%d*)|(%d+)|(.*)$'
-- seq, tag, sum, all the rest, and of the rest: seen at, online until, connection.
local RECORD_HEAD = '^(%d+)|([^|]*)|(%d+)|([^|]*|[^|]*|(%d+)|(%d+)|([^|]*)|.*)$'
