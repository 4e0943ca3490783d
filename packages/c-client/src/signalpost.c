#include "internal.h"

#include <string.h>

enum {
  TIMEOUT_MS = 10000,
  /** docs/guides/embedded.md: less than the shortest idle timeout of the proxies on the way. */
  POLL_WAIT_MAX_S = 25,
  /** A stream without an event for this long is held back by a proxy. */
  FIRST_EVENT_MS = 3000,
  /**
   * Then the client polls this many times, some 25 minutes when nothing happens, before it tries the stream
   * again.
   */
  POLLS_INSTEAD = 60,
  /** Until the server names another time. */
  RETRY_MS = 1000,
  HEARTBEAT_MS = 15000,
  BACK_OFF_MAX_MS = 30000
};

/* ── What a failure means ── */

/** A xorshift generator (Marsaglia, 2003): it only has to differ between devices. */
static uint32_t next_random(struct sp_client *client) {
  client->random ^= client->random << 13;
  client->random ^= client->random >> 17;
  client->random ^= client->random << 5;
  return client->random;
}

/**
 * Doubles with each failure in succession, and adds up to a half of it, so that devices come back one after
 * the other. What the server asked for may be longer than the maximum; if it is 0, only the first attempt is
 * made at once.
 */
static enum sp_result retry(struct sp_client *client, uint32_t at_least_ms) {
  uint32_t wait_ms = client->retry_ms;
  if (client->failures > 0 && wait_ms < RETRY_MS) wait_ms = RETRY_MS;
  for (uint8_t i = 0; i < client->failures && wait_ms < BACK_OFF_MAX_MS; i++) wait_ms *= 2;
  if (wait_ms > BACK_OFF_MAX_MS && client->retry_ms < BACK_OFF_MAX_MS) wait_ms = BACK_OFF_MAX_MS;
  if (client->failures < UINT8_MAX) client->failures++;
  wait_ms += next_random(client) % (wait_ms / 2 + 1);
  client->wait_ms = wait_ms > at_least_ms ? wait_ms : at_least_ms;
  return SP_RETRY;
}

static enum sp_result retry_at_once(struct sp_client *client) {
  client->wait_ms = 0;
  return SP_RETRY;
}

/** There is no reply that says why. */
static void note_failure(struct sp_client *client, enum sp_progress progress) {
  const char *code = progress == SP_SILENT        ? "no_reply"
                     : progress == SP_UNREACHABLE ? "no_connection"
                     : progress == SP_TOKENLESS   ? "no_token"
                                                  : "connection_lost";
  client->problem = (struct sp_problem){.is_retryable = true};
  memcpy(client->problem.code, code, strlen(code) + 1);
}

static enum sp_result retry_because(struct sp_client *client, enum sp_progress progress) {
  note_failure(client, progress);
  return retry(client, 0);
}

static bool is_refused_as(const struct sp_client *client, const char *code) {
  return strcmp(client->problem.code, code) == 0;
}

/** What the reply says: docs/guides/embedded.md, "Errors". */
static enum sp_result judge(struct sp_client *client, const struct sp_link *link, enum sp_progress progress) {
  const struct sp_http *http = &link->http;
  if (progress == SP_INTERRUPTED) return SP_IDLE;
  if (progress != SP_COMPLETE) return retry_because(client, progress);
  if (http->status >= 200 && http->status < 300) {
    client->failures = 0;
    return SP_OK;
  }
  const bool is_problem = http->type == SP_HTTP_PROBLEM;
  if (!is_problem) client->problem = (struct sp_problem){0};
  client->problem.status = http->status;
  /* What is no problem comes from a proxy. A conflict (409) needs a change first. */
  const bool may_repeat = !is_problem || (client->problem.is_retryable && http->status != 409);
  return may_repeat ? retry(client, http->retry_after_s * 1000) : SP_REFUSED;
}

static bool needs_token(const struct sp_link *link, enum sp_progress progress) {
  return progress == SP_COMPLETE && link->http.status == 401;
}

enum sp_result sp_perform(struct sp_client *client, const struct sp_exchange *exchange) {
  struct sp_link *link = &client->requests;
  enum sp_progress progress = sp_exchange(link, exchange);
  if (needs_token(link, progress) && !exchange->is_anonymous) {
    client->renews_token = true;
    progress = sp_exchange(link, exchange);
  }
  return judge(client, link, progress);
}

/* ── The stream ── */

/** Opened by POST: some tunnels hold back the reply to a GET (docs/guides/embedded.md). */
static enum sp_progress open_stream(struct sp_client *client) {
  const struct sp_exchange exchange = {.method = "POST",
                                       .path = "/v1/events?ack=true&cursor=",
                                       .id = client->cursor,
                                       .shape = SP_SHAPE_STREAM,
                                       .timeout_ms = FIRST_EVENT_MS};
  client->has_begun = false;
  client->silent_ms = 0;
  const enum sp_progress progress = sp_exchange(&client->stream, &exchange);
  if (!needs_token(&client->stream, progress)) return progress;
  client->renews_token = true;
  return sp_exchange(&client->stream, &exchange);
}

/** The dead connection is closed. If it brought no event at all, a proxy holds the stream back. */
static enum sp_result end_silent_stream(struct sp_client *client) {
  sp_close(&client->stream);
  if (client->has_begun) return retry_because(client, SP_SILENT);
  note_failure(client, SP_SILENT);
  client->polls_left = POLLS_INSTEAD;
  return retry_at_once(client);
}

/**
 * After `end`, which says whether to come back. How the body ends does not: over HTTP/1.0 every body looks
 * complete.
 */
static enum sp_result end_stream(struct sp_client *client) {
  sp_close(&client->stream);
  client->has_ended = false;
  client->problem = (struct sp_problem){.is_retryable = client->may_reconnect};
  memcpy(client->problem.code, client->end_reason, sizeof client->end_reason);
  if (client->may_reconnect) return retry(client, 0);
  client->renews_token = is_refused_as(client, "auth_expired");
  return client->renews_token ? retry_at_once(client) : SP_REFUSED;
}

/** Waits no longer than it takes to know that the stream is dead. */
static enum sp_progress read_stream(struct sp_client *client, uint32_t timeout_ms) {
  const uint32_t limit_ms = client->has_begun ? 2 * client->heartbeat_ms : FIRST_EVENT_MS;
  const uint32_t left_ms = limit_ms > client->silent_ms ? limit_ms - client->silent_ms : 0;
  const uint32_t wait_ms = timeout_ms < left_ms ? timeout_ms : left_ms;
  const enum sp_progress progress = sp_read(&client->stream, wait_ms);
  if (progress == SP_INTERRUPTED) return SP_GOES_ON;
  if (progress != SP_SILENT) {
    if (client->has_begun) client->silent_ms = 0;
    return progress;
  }
  client->silent_ms += wait_ms;
  return client->silent_ms < limit_ms ? SP_GOES_ON : SP_SILENT;
}

static enum sp_result receive_from_stream(struct sp_client *client, uint32_t timeout_ms) {
  if (client->has_ended) return end_stream(client);
  const bool opens = !client->stream.is_open;
  const enum sp_progress progress = opens ? open_stream(client) : read_stream(client, timeout_ms);
  if (client->events > 0) return SP_OK;
  if (client->has_ended) return end_stream(client);
  if (progress == SP_GOES_ON) return SP_IDLE;
  if (progress == SP_SILENT) return end_silent_stream(client);
  sp_close(&client->stream);
  const bool is_refused = progress == SP_COMPLETE && client->stream.http.status >= 300;
  return is_refused ? judge(client, &client->stream, progress) : retry_because(client, progress);
}

/* ── The long-poll ── */

/** `maxBytes` bounds the time that a reply takes on a slow link: the server gives it 30 s. */
static enum sp_result poll_events(struct sp_client *client, uint32_t timeout_ms) {
  const uint32_t timeout_s = timeout_ms / 1000 + (timeout_ms % 1000 > 0);
  const uint32_t wait_s = timeout_s < POLL_WAIT_MAX_S ? timeout_s : POLL_WAIT_MAX_S;
  const struct sp_exchange exchange = {.method = "GET",
                                       .path = "/v1/events/poll?maxBytes=8192&cursor=",
                                       .id = client->cursor,
                                       .rest = "&wait=",
                                       .has_number = true,
                                       .number = wait_s,
                                       .shape = SP_SHAPE_POLL,
                                       .timeout_ms = wait_s * 1000 + client->config.timeout_ms};
  const enum sp_result result = sp_perform(client, &exchange);
  if (client->polls_left > 0) client->polls_left--;
  if (client->events > 0) return SP_OK;
  if (result == SP_REFUSED && is_refused_as(client, "invalid_cursor")) {
    client->cursor[0] = '\0';
    return retry_at_once(client);
  }
  return result == SP_OK ? SP_IDLE : result;
}

/* ── Both ── */

static enum sp_result get_snapshot(struct sp_client *client) {
  const struct sp_exchange exchange = {.method = "GET",
                                       .path = "/v1/snapshot",
                                       .shape = SP_SHAPE_SNAPSHOT,
                                       .timeout_ms = client->config.timeout_ms};
  const enum sp_result result = sp_perform(client, &exchange);
  if (result == SP_OK) client->is_snapshot_due = false;
  return result;
}

/** Any request proves that the device is there, and brings a new token to the stream. */
static enum sp_result send_keepalive(struct sp_client *client) {
  const struct sp_exchange exchange = {.method = "PUT",
                                       .path = "/v1/presence",
                                       .shape = SP_SHAPE_NONE,
                                       .timeout_ms = client->config.timeout_ms};
  const enum sp_result result = sp_perform(client, &exchange);
  if (result == SP_OK) client->is_keepalive_due = false;
  return result;
}

enum sp_result sp_receive(struct sp_client *client, uint32_t timeout_ms) {
  if (client->is_snapshot_due || client->cursor[0] == '\0') return get_snapshot(client);
  if (client->is_keepalive_due) {
    const enum sp_result result = send_keepalive(client);
    if (result != SP_OK) return result;
  }
  client->events = 0;
  const bool polls = client->config.stream == NULL || client->polls_left > 0;
  return polls ? poll_events(client, timeout_ms) : receive_from_stream(client, timeout_ms);
}

void sp_start(struct sp_client *client, const struct sp_config *config) {
  /* It may be that of this client, in memory that outlives a restart. */
  char cursor[SP_CURSOR_SIZE] = "";
  if (config->cursor != NULL && strlen(config->cursor) < SP_CURSOR_SIZE)
    memcpy(cursor, config->cursor, strlen(config->cursor) + 1);
  memset(client, 0, sizeof *client);
  memcpy(client->cursor, cursor, sizeof cursor);
  client->config = *config;
  if (config->timeout_ms == 0) client->config.timeout_ms = TIMEOUT_MS;
  client->requests.client = client;
  client->requests.network = config->requests;
  client->stream.client = client;
  client->stream.network = config->stream;
  client->retry_ms = RETRY_MS;
  client->heartbeat_ms = HEARTBEAT_MS;
  client->random = config->seed != 0 ? config->seed : 1;
}

void sp_stop(struct sp_client *client) {
  sp_close(&client->requests);
  sp_close(&client->stream);
}
