/* The requests of a call, and any other one. */
#include "internal.h"

#include <string.h>

static const char JSON[] = "application/json";

/* ── Bodies ── */

/** Begins a member of an object. */
static void write_member(struct sp_writer *writer, bool *is_first, const char *name) {
  sp_write_text(writer, *is_first ? "{\"" : ",\"");
  sp_write_text(writer, name);
  sp_write_text(writer, "\":");
  *is_first = false;
}

static void write_text_member(struct sp_writer *writer, bool *is_first, const char *name, const char *text) {
  if (text == NULL) return;
  write_member(writer, is_first, name);
  sp_write_json(writer, text, strlen(text));
}

static void write_candidate(struct sp_writer *writer, const struct sp_candidate *candidate) {
  bool is_first = true;
  write_text_member(writer, &is_first, "candidate", candidate->line);
  write_text_member(writer, &is_first, "sdpMid", candidate->mid);
  write_member(writer, &is_first, "sdpMLineIndex");
  sp_write_number(writer, candidate->index);
  sp_write_text(writer, "}");
}

static void write_candidates(struct sp_writer *writer, bool *is_first, const struct sp_signal *signal) {
  if (signal->candidate_count > 0) write_member(writer, is_first, "candidates");
  for (size_t i = 0; i < signal->candidate_count; i++) {
    sp_write_text(writer, i == 0 ? "[" : ",");
    write_candidate(writer, &signal->candidates[i]);
  }
  if (signal->candidate_count > 0) sp_write_text(writer, "]");
  if (signal->is_last) {
    write_member(writer, is_first, "end");
    sp_write_text(writer, "true");
  }
}

/** `"offer":{"sdp":"…"}`, and the candidates. */
static void write_signal(struct sp_writer *writer, bool *is_first, const struct sp_signal *signal,
                         const char *kind) {
  if (signal == NULL) return;
  if (signal->sdp != NULL) {
    write_member(writer, is_first, kind);
    sp_write_text(writer, "{\"sdp\":");
    sp_write_json(writer, signal->sdp, signal->sdp_size);
    sp_write_text(writer, "}");
  }
  write_candidates(writer, is_first, signal);
}

static void end_object(struct sp_writer *writer, bool is_empty) {
  sp_write_text(writer, is_empty ? "{}" : "}");
}

struct create {
  const char *call_id;
  const char *to;
  const char *media;
  const struct sp_signal *signal;
};

static void write_create(struct sp_writer *writer, const void *body) {
  const struct create *create = body;
  bool is_first = true;
  write_text_member(writer, &is_first, "to", create->to);
  write_text_member(writer, &is_first, "callId", create->call_id);
  write_text_member(writer, &is_first, "media", create->media);
  write_signal(writer, &is_first, create->signal, "offer");
  end_object(writer, is_first);
}

static void write_accept(struct sp_writer *writer, const void *body) {
  const struct sp_signal *signal = body;
  bool is_first = true;
  write_signal(writer, &is_first, signal, signal->is_offer ? "offer" : "answer");
  end_object(writer, is_first);
}

static void write_candidates_alone(struct sp_writer *writer, const void *body) {
  bool is_first = true;
  write_candidates(writer, &is_first, body);
  end_object(writer, is_first);
}

static void write_sdp(struct sp_writer *writer, const void *body) {
  const struct sp_signal *signal = body;
  sp_write(writer, signal->sdp, signal->sdp_size);
}

static void write_whole(struct sp_writer *writer, const void *body) {
  sp_write_text(writer, body);
}

/* ── Requests ── */

/** @param rest of the path, after the id of the call */
static struct sp_exchange exchange_of_call(const struct sp_client *client, const char *call_id,
                                           const char *rest) {
  return (struct sp_exchange){.method = "POST",
                              .path = "/v1/calls/",
                              .id = call_id,
                              .rest = rest,
                              .shape = SP_SHAPE_REPLY,
                              .timeout_ms = client->config.timeout_ms};
}

enum sp_result sp_call(struct sp_client *client, const char *call_id, const char *to, const char *media,
                       const struct sp_signal *signal) {
  const struct create create = {call_id, to, media, signal};
  struct sp_exchange exchange = exchange_of_call(client, NULL, NULL);
  exchange.path = "/v1/calls";
  exchange.content_type = JSON;
  exchange.write_body = write_create;
  exchange.body = &create;
  return sp_perform(client, &exchange);
}

enum sp_result sp_accept(struct sp_client *client, const char *call_id, const struct sp_signal *signal) {
  struct sp_exchange exchange = exchange_of_call(client, call_id, "/accept");
  if (signal != NULL) {
    exchange.content_type = JSON;
    exchange.write_body = write_accept;
    exchange.body = signal;
  }
  return sp_perform(client, &exchange);
}

enum sp_result sp_describe(struct sp_client *client, const char *call_id, const char *kind, uint32_t revision,
                           const struct sp_signal *signal) {
  const bool is_offer = strcmp(kind, "offer") == 0;
  struct sp_exchange exchange = exchange_of_call(client, call_id, is_offer ? "/offer" : "/answer");
  if (revision > 0) {
    exchange.rest = is_offer ? "/offer?revision=" : "/answer?revision=";
    exchange.has_number = true;
    exchange.number = revision;
  }
  exchange.content_type = "application/sdp";
  exchange.write_body = write_sdp;
  exchange.body = signal;
  return sp_perform(client, &exchange);
}

enum sp_result sp_send_candidates(struct sp_client *client, const char *call_id,
                                  const struct sp_signal *signal) {
  struct sp_exchange exchange = exchange_of_call(client, call_id, "/candidates");
  exchange.content_type = JSON;
  exchange.write_body = write_candidates_alone;
  exchange.body = signal;
  return sp_perform(client, &exchange);
}

enum sp_result sp_act(struct sp_client *client, const char *call_id, const char *action) {
  /* "/" and the longest action, "connected" */
  char rest[16] = "/";
  const size_t size = strlen(action);
  if (size + 2 > sizeof rest) {
    client->problem = (struct sp_problem){.code = "unknown_action"};
    return SP_REFUSED;
  }
  memcpy(rest + 1, action, size + 1);
  const struct sp_exchange exchange = exchange_of_call(client, call_id, rest);
  return sp_perform(client, &exchange);
}

enum sp_result sp_request(struct sp_client *client, const char *method, const char *path, const char *json) {
  struct sp_exchange exchange = exchange_of_call(client, NULL, NULL);
  exchange.method = method;
  exchange.path = path;
  if (json != NULL) {
    exchange.content_type = JSON;
    exchange.write_body = write_whole;
    exchange.body = json;
  }
  return sp_perform(client, &exchange);
}
