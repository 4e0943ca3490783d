-- A device's record is one text: seq|tag|birth tag|seen at|online until|connection|auth expires at|status.
-- Only the status, which comes last, may contain a bar; numbers are whole. ../record.ts reads the same order.
local RECORD = '^(%d+)|([^|]*)|([^|]*)|(%d+)|(%d+)|([^|]*)|(%d+)|(.*)$'
-- seq, tag, all the rest, and of the rest: seen at, online until, connection.
local RECORD_HEAD = '^(%d+)|([^|]*)|([^|]*|(%d+)|(%d+)|([^|]*)|.*)$'
