-- Purpose:   patterns of a device's record:
--            seq|tag|sum|birth tag|epoch|seen at|online until|connection|auth expires at|requested at|listened|status
-- `sum` is the weight of all entries that were ever appended, see mailbox.
-- `epoch` is that of the partition at the last touch, see epoch_record.
-- `seen at` is the last keepalive.
-- Without a connection, `online until` is when the last one closed, or 0 if a keepalive has followed.
-- `auth expires at` is that of the connection's token; '' if it never expires, or there is no connection.
-- `requested at` is the last request other than the stream or poll itself; 0: none.
-- `listened` is 1 once the device has opened a stream or poll, else 0.
-- Only the status, which comes last, may contain a bar. Numbers are whole. ../record.ts reads the same order.
local RECORD = '^(%d+)|([^|]*)|(%d+)|([^|]*)|([^|]*)|(%d+)|(%d+)|([^|]*)|(%d*)|(%d+)|([01])|(.*)$'
-- Captures seq, tag, sum, the whole rest, and of the rest: seen at, online until, connection.
local RECORD_HEAD = '^(%d+)|([^|]*)|(%d+)|([^|]*|[^|]*|(%d+)|(%d+)|([^|]*)|.*)$'
