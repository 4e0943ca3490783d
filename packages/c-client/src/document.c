/* From JSON to events: what belongs to the client itself is noted, the rest is passed on. */
#include "internal.h"

#include <string.h>

enum { NUMBER_MAX = 86400000 }; /* 24 h: no time of the protocol is longer */

static bool is_same(const char *a, const char *b) {
  return strcmp(a, b) == 0;
}

/** Copies a value that is whole and fits. Otherwise the copy is empty. */
static void copy_value(char *copy, size_t copy_size, const struct sp_json_value *value) {
  const bool fits = value->is_first && value->is_last && value->size < copy_size;
  memcpy(copy, value->text, fits ? value->size : 0);
  copy[fits ? value->size : 0] = '\0';
}

static uint32_t number_of(const struct sp_json_value *value) {
  uint32_t number = 0;
  for (const char *c = value->text; *c >= '0' && *c <= '9' && number < NUMBER_MAX; c++)
    number = number * 10 + (uint32_t)(*c - '0');
  return number < NUMBER_MAX ? number : NUMBER_MAX;
}

static bool is_true(const struct sp_json_value *value) {
  return value->kind == SP_LITERAL && value->text[0] == 't';
}

/* ── Events ── */

static void begin_event(struct sp_link *link, const char *type) {
  link->has_event = true;
  link->hides_event = false;
  memcpy(link->type, type, strlen(type) + 1);
  link->id[0] = '\0';
}

static void end_event(struct sp_link *link, bool is_whole) {
  struct sp_client *client = link->client;
  if (!link->has_event) return;
  link->has_event = false;
  if (is_whole && is_same(link->type, "reset")) client->is_snapshot_due = true;
  if (is_whole && is_same(link->type, "end")) client->has_ended = true;
  if (link->hides_event) return;
  const bool is_event = link->shape == SP_SHAPE_STREAM || link->shape == SP_SHAPE_POLL;
  if (is_whole && is_event && client->events < UINT16_MAX) client->events++;
  client->config.on_end(client->config.context, link->type, is_whole);
}

static void take_cursor(struct sp_client *client, const char *cursor) {
  if (cursor[0] != '\0') memcpy(client->cursor, cursor, strlen(cursor) + 1);
}

/** What a stream says about itself. `reset` is passed on as well. */
static bool is_about_stream(const char *type) {
  static const char *const types[] = {"heartbeat", "hello", "caught-up", "reconnect", "auth.expiring", "end"};
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
    if (is_same(type, types[i])) return true;
  return false;
}

static void note(struct sp_link *link, const char *path, const struct sp_json_value *value) {
  struct sp_client *client = link->client;
  if (is_same(path, "data.heartbeatMs")) {
    client->heartbeat_ms = number_of(value);
  } else if (is_same(path, "data.afterMs")) {
    client->retry_ms = number_of(value);
  } else if (is_same(path, "data.ack")) {
    client->is_keepalive_due = is_true(value);
  } else if (is_same(path, "data.expiresInMs")) {
    client->renews_token = true;
    client->is_keepalive_due = true;
  } else if (is_same(path, "data.reconnect")) {
    client->may_reconnect = is_true(value);
  } else if (is_same(path, "data.reason") && is_same(link->type, "end")) {
    copy_value(client->end_reason, SP_CODE_SIZE, value);
  }
}

static void pass_on(struct sp_link *link, const char *path, const struct sp_json_value *value) {
  const struct sp_config *config = &link->client->config;
  struct sp_json_value passed = *value;
  if (path[0] == '\0') return; /* the outermost object */
  passed.path = path;
  config->on_value(config->context, link->type, &passed);
}

/** @param path within the event */
static void take_event_value(struct sp_link *link, const char *path, const struct sp_json_value *value) {
  if (is_same(path, "type")) {
    copy_value(link->type, SP_TYPE_SIZE, value);
    link->hides_event = is_about_stream(link->type);
  } else if (is_same(path, "id")) {
    copy_value(link->id, SP_CURSOR_SIZE, value);
  } else {
    if (link->hides_event || is_same(link->type, "reset")) note(link, path, value);
    if (!link->hides_event) pass_on(link, path, value);
  }
}

/* ── Documents ── */

/** Of an array of events: the path behind its name. Otherwise NULL. */
static const char *path_in(const char *array, const char *path) {
  const size_t size = strlen(array);
  return strncmp(path, array, size) == 0 ? path + size : NULL;
}

static void take_poll_value(struct sp_link *link, const struct sp_json_value *value) {
  const char *in_event = path_in("events[]", value->path);
  const char *path = in_event != NULL ? in_event : path_in("notices[]", value->path);
  if (is_same(value->path, "cursor")) copy_value(link->client->next_cursor, SP_CURSOR_SIZE, value);
  if (path == NULL) return;
  const bool is_event = path[0] == '\0';
  if (path[0] == '.') {
    take_event_value(link, path + 1, value);
  } else if (is_event && value->kind == SP_OBJECT_BEGIN) {
    begin_event(link, "");
  } else if (is_event && value->kind == SP_OBJECT_END) {
    end_event(link, true);
    /* If the rest of the reply is lost, the next poll begins here. */
    take_cursor(link->client, link->id);
  }
}

static void take_problem_value(struct sp_link *link, const struct sp_json_value *value) {
  struct sp_problem *problem = &link->client->problem;
  if (is_same(value->path, "code")) copy_value(problem->code, SP_CODE_SIZE, value);
  if (is_same(value->path, "retryable")) problem->is_retryable = is_true(value);
}

static void take_value(void *context, const struct sp_json_value *value) {
  struct sp_link *link = context;
  switch (link->shape) {
  case SP_SHAPE_POLL: take_poll_value(link, value); return;
  case SP_SHAPE_STREAM: take_event_value(link, value->path, value); return;
  case SP_SHAPE_SNAPSHOT:
    if (is_same(value->path, "cursor")) copy_value(link->client->next_cursor, SP_CURSOR_SIZE, value);
    break;
  case SP_SHAPE_PROBLEM: take_problem_value(link, value); break;
  default: break;
  }
  pass_on(link, value->path, value);
}

/** A step of the event stream. */
static void take_step(void *context, enum sp_sse_step step, const char *data, size_t size) {
  struct sp_link *link = context;
  if (step == SP_SSE_DATA) {
    if (!link->has_event) {
      begin_event(link, "");
      sp_json_start(&link->json, take_value, link);
    }
    sp_json_feed(&link->json, data, size);
    return;
  }
  struct sp_client *client = link->client;
  end_event(link, sp_json_is_complete(&link->json));
  /* Also of an event that is not JSON: it would come again for ever. */
  take_cursor(client, client->sse.id);
  /* `retry:` stands in the first event, and `afterMs` of a later one replaces it. */
  if (!client->has_begun && client->sse.retry_ms > 0) client->retry_ms = client->sse.retry_ms;
  client->has_begun = true;
  client->failures = 0;
}

static const char *type_of(enum sp_shape shape) {
  switch (shape) {
  case SP_SHAPE_SNAPSHOT: return "snapshot";
  case SP_SHAPE_REPLY: return "reply";
  default: return "problem";
  }
}

void sp_begin_document(struct sp_link *link, enum sp_shape shape) {
  struct sp_client *client = link->client;
  link->shape = (uint8_t)shape;
  link->has_event = false;
  client->next_cursor[0] = '\0';
  if (shape == SP_SHAPE_NONE) return;
  if (shape == SP_SHAPE_STREAM) {
    sp_sse_start(&client->sse, take_step, link);
    return;
  }
  if (shape != SP_SHAPE_POLL) begin_event(link, type_of(shape));
  if (shape == SP_SHAPE_PROBLEM) client->problem = (struct sp_problem){0};
  sp_json_start(&link->json, take_value, link);
}

void sp_feed_document(struct sp_link *link, struct sp_bytes bytes) {
  if (link->shape == SP_SHAPE_STREAM) {
    sp_sse_feed(&link->client->sse, bytes.data, bytes.size);
  } else if (link->shape != SP_SHAPE_NONE) {
    sp_json_feed(&link->json, bytes.data, bytes.size);
  }
}

bool sp_end_document(struct sp_link *link) {
  struct sp_client *client = link->client;
  const bool is_json = link->shape != SP_SHAPE_NONE && link->shape != SP_SHAPE_STREAM;
  const bool is_whole = !is_json || sp_json_is_complete(&link->json);
  if (link->shape == SP_SHAPE_POLL && is_whole) take_cursor(client, client->next_cursor);
  /* With a cursor the events since then are still to come. */
  if (link->shape == SP_SHAPE_SNAPSHOT && is_whole && client->cursor[0] == '\0')
    take_cursor(client, client->next_cursor);
  end_event(link, is_json && link->shape != SP_SHAPE_POLL && is_whole);
  link->shape = SP_SHAPE_NONE;
  return is_whole;
}
