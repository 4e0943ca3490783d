#include "internal.h"

enum { RECEIVE_SIZE = 512 };

static bool open_link(struct sp_link *link) {
  const struct sp_config *config = &link->client->config;
  if (!link->is_open) link->is_open = config->port->connect(link->network, config->timeout_ms);
  return link->is_open;
}

void sp_close(struct sp_link *link) {
  if (link->is_open) link->client->config.port->close(link->network);
  link->is_open = false;
  sp_end_document(link);
}

/* ── Sending ── */

static void write_header(struct sp_writer *writer, const char *name, const char *value) {
  sp_write_text(writer, name);
  sp_write_text(writer, value);
  sp_write_text(writer, "\r\n");
}

static void write_request_line(struct sp_writer *writer, const struct sp_exchange *exchange) {
  sp_write_text(writer, exchange->method);
  sp_write_text(writer, " ");
  sp_write_text(writer, exchange->path);
  if (exchange->id != NULL) sp_write_encoded(writer, exchange->id);
  if (exchange->rest != NULL) sp_write_text(writer, exchange->rest);
  if (exchange->has_number) sp_write_number(writer, exchange->number);
  sp_write_text(writer, " HTTP/1.1\r\n");
}

/** The body is produced twice: here only to count its bytes. */
static size_t size_of_body(struct sp_writer *writer, const struct sp_exchange *exchange) {
  const size_t counted_before = writer->counted;
  if (exchange->content_type == NULL) return 0;
  writer->is_counting = true;
  exchange->write_body(writer, exchange->body);
  writer->is_counting = false;
  return writer->counted - counted_before;
}

static void write_content_headers(struct sp_writer *writer, const struct sp_exchange *exchange) {
  const size_t size = size_of_body(writer, exchange);
  if (exchange->content_type != NULL) write_header(writer, "Content-Type: ", exchange->content_type);
  sp_write_text(writer, "Content-Length: ");
  sp_write_number(writer, (uint32_t)size);
  sp_write_text(writer, "\r\n");
}

static bool send_request(struct sp_link *link, const struct sp_exchange *exchange, const char *token) {
  const struct sp_config *config = &link->client->config;
  struct sp_writer writer = {.link = link};
  write_request_line(&writer, exchange);
  write_header(&writer, "Host: ", config->host);
  if (!exchange->is_anonymous) write_header(&writer, "Authorization: Bearer ", token);
  if (config->device != NULL && !exchange->is_anonymous) {
    sp_write_text(&writer, "X-Device-Id: ");
    sp_write_encoded(&writer, config->device);
    sp_write_text(&writer, "\r\n");
  }
  const bool has_content = exchange->method[0] == 'P'; /* POST, PUT, PATCH: RFC 9110, section 8.6 */
  if (has_content) write_content_headers(&writer, exchange);
  sp_write_text(&writer, "\r\n");
  if (exchange->content_type != NULL) exchange->write_body(&writer, exchange->body);
  return sp_flush(&writer);
}

/* ── Receiving ── */

static enum sp_shape shape_of_body(const struct sp_link *link) {
  const enum sp_shape wanted = (enum sp_shape)link->wanted;
  const struct sp_http *http = &link->http;
  const bool is_success = http->status >= 200 && http->status < 300;
  switch (http->type) {
  case SP_HTTP_EVENT_STREAM: return is_success && wanted == SP_SHAPE_STREAM ? wanted : SP_SHAPE_NONE;
  case SP_HTTP_JSON: return is_success && wanted != SP_SHAPE_STREAM ? wanted : SP_SHAPE_NONE;
  case SP_HTTP_PROBLEM: return is_success ? SP_SHAPE_NONE : SP_SHAPE_PROBLEM;
  default: return SP_SHAPE_NONE;
  }
}

/** The reply is over. */
static enum sp_progress end_reply(struct sp_link *link, bool can_be_reused, bool is_complete) {
  const bool is_whole = sp_end_document(link);
  if (!can_be_reused || !is_whole) sp_close(link);
  return is_complete && is_whole ? SP_COMPLETE : SP_LOST;
}

static enum sp_progress take_bytes(struct sp_link *link, struct sp_bytes bytes) {
  struct sp_bytes body;
  link->has_reply = true;
  for (;;) {
    switch (sp_http_next(&link->http, &bytes, &body)) {
    case SP_HTTP_MORE: return SP_GOES_ON;
    case SP_HTTP_HEAD: sp_begin_document(link, shape_of_body(link)); break;
    case SP_HTTP_BODY: sp_feed_document(link, body); break;
    case SP_HTTP_DONE: return end_reply(link, link->http.keeps_alive && bytes.size == 0, true);
    case SP_HTTP_INVALID: return end_reply(link, false, false);
    }
  }
}

enum sp_progress sp_read(struct sp_link *link, uint32_t timeout_ms) {
  char buffer[RECEIVE_SIZE];
  const int size = link->client->config.port->receive(link->network, buffer, sizeof buffer, timeout_ms);
  if (size == 0) return SP_SILENT;
  if (size == SP_WOKEN) return SP_INTERRUPTED;
  if (size < 0) return end_reply(link, false, sp_http_end(&link->http));
  const struct sp_bytes bytes = {buffer, (size_t)size};
  return take_bytes(link, bytes);
}

static enum sp_progress attempt(struct sp_link *link, const struct sp_exchange *exchange, const char *token) {
  sp_http_start(&link->http);
  link->has_reply = false;
  link->wanted = (uint8_t)exchange->shape;
  link->shape = SP_SHAPE_NONE;
  if (!open_link(link)) return SP_UNREACHABLE;
  if (!send_request(link, exchange, token)) return end_reply(link, false, false);
  uint32_t timeout_ms = exchange->timeout_ms;
  for (;;) {
    const enum sp_progress progress = sp_read(link, timeout_ms);
    /* Only a poll may be given up: the next one gets the same answer. */
    if (progress == SP_INTERRUPTED && exchange->shape != SP_SHAPE_POLL) continue;
    if (progress == SP_SILENT || progress == SP_INTERRUPTED) sp_close(link);
    if (progress != SP_GOES_ON) return progress;
    if (link->shape == SP_SHAPE_STREAM) return SP_GOES_ON;
    timeout_ms = link->client->config.timeout_ms;
  }
}

enum sp_progress sp_exchange(struct sp_link *link, const struct sp_exchange *exchange) {
  struct sp_client *client = link->client;
  const char *token = "";
  if (!exchange->is_anonymous) {
    token = client->config.token(client->config.context, client->renews_token);
    if (token == NULL) return SP_TOKENLESS;
    client->renews_token = false;
  }
  const bool was_open = link->is_open;
  const enum sp_progress progress = attempt(link, exchange, token);
  /* The server may close an idle connection while the request is on its way (RFC 9112, section 9.5). Nothing
     tells that from a request that was carried out, but all requests of this client can be repeated. */
  const bool was_idle = was_open && progress == SP_LOST && !link->has_reply;
  return was_idle ? attempt(link, exchange, token) : progress;
}
