#!lua
-- Purpose:   queues events for webhooks outside of a commit.
-- KEYS:      1 queue (see webhooks)
-- ARGV:      1 version:tag of the commit that made the events; then the events, see webhooks
-- RETURNS:   how many were refused because too many queues of the destination wait
-- GUARANTEE: a refused event writes nothing.
-- include webhook_counts
-- include webhooks
local stamp = ARGV[1]
return queueWebhooks(readWebhooks(2), stamp)
