/* The whole client against a server and a network that do anything: the input is what arrives, on whatever
   connection reads next. */
#include "signalpost.h"
#include "split.h"

#include <string.h>

enum { STEPS = 24, INPUT_MAX = 4096 };

/** A piece of the input begins with its size; 0: nothing comes in time, 255: the connection is lost. */
static const uint8_t *input;
static size_t input_size;

struct network {
  int is_open;
};

static uint8_t next_byte(void) {
  if (input_size == 0) return 255;
  input_size--;
  return *input++;
}

static bool fuzz_connect(void *network, uint32_t timeout_ms) {
  struct network *each = network;
  (void)timeout_ms;
  require(!each->is_open, "a connection is closed before the next one");
  each->is_open = input_size > 0;
  return each->is_open;
}

static bool fuzz_send(void *network, const void *data, size_t size, uint32_t timeout_ms) {
  const struct network *each = network;
  struct digest digest = {0};
  (void)timeout_ms;
  require(each->is_open && size > 0, "what is sent has a connection");
  add(&digest, data, size); /* reads all of it */
  return input_size > 0;
}

static int fuzz_receive(void *network, void *buffer, size_t size, uint32_t timeout_ms) {
  const struct network *each = network;
  (void)timeout_ms;
  require(each->is_open, "only an open connection is read");
  size_t piece = next_byte();
  if (piece == 255) return -1;
  if (piece > size) piece = size;
  if (piece > input_size) piece = input_size;
  memcpy(buffer, input, piece);
  input += piece;
  input_size -= piece;
  return (int)piece;
}

static void fuzz_close(void *network) {
  struct network *each = network;
  require(each->is_open, "a connection is closed once");
  each->is_open = 0;
}

static const struct sp_port PORT = {fuzz_connect, fuzz_send, fuzz_receive, fuzz_close};

static const char *token(void *context, bool renew) {
  (void)context;
  return renew ? "renewed" : "token";
}

static void on_value(void *context, const char *type, const struct sp_json_value *value) {
  (void)context;
  require(strlen(type) < SP_TYPE_SIZE && strlen(value->path) < SP_JSON_PATH_SIZE, "type and path end");
  require(value->text[value->size] == '\0' && value->size <= SP_JSON_TEXT_SIZE, "a text ends");
}

static void on_end(void *context, const char *type, bool is_whole) {
  int *ended = context;
  require(strlen(type) < SP_TYPE_SIZE, "a type ends");
  if (is_whole) ++*ended;
}

static enum sp_result act(struct sp_client *client, uint8_t choice) {
  static const struct sp_candidate candidate = {"candidate:1", "0", 0};
  static const struct sp_signal signal = {"v=0\r\n\"\\\x01", 8, &candidate, 1, true, false};
  switch (choice) {
  case 1: return sp_call(client, "id/\xC3\xA9", "bob\n", "audio", &signal);
  case 2: return sp_accept(client, "id", &signal);
  case 3: return sp_describe(client, "id", "answer", 7, &signal);
  case 4: return sp_act(client, "id", "hangup");
  case 5: return sp_request(client, "GET", "/v1/ice-servers", NULL);
  default: return sp_receive(client, 1000);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct sp_client client;
  struct network networks[2] = {{0}, {0}};
  int ended = 0;
  if (size == 0 || size > INPUT_MAX) return 0;
  input = data;
  input_size = size;
  const uint8_t setting = next_byte();
  const struct sp_config config = {.port = &PORT,
                                   .requests = &networks[0],
                                   .stream = (setting & 1) != 0 ? &networks[1] : NULL,
                                   .host = "host",
                                   .device = (setting & 2) != 0 ? "device" : NULL,
                                   .cursor = (setting & 4) != 0 ? "42.k3f9p" : NULL,
                                   .token = token,
                                   .on_value = on_value,
                                   .on_end = on_end,
                                   .context = &ended,
                                   .seed = size & 1};
  sp_start(&client, &config);
  for (int i = 0; i < STEPS && input_size > 0; i++) {
    const bool receives = (setting & 8) == 0;
    const enum sp_result result = receives ? sp_receive(&client, 1000) : act(&client, next_byte() & 7);
    require(strlen(client.cursor) < SP_CURSOR_SIZE && strlen(client.problem.code) < SP_CODE_SIZE,
            "texts end");
    require(result != SP_RETRY || client.wait_ms <= UINT32_MAX / 1000 * 1000, "a wait is bounded");
  }
  sp_stop(&client);
  require(!networks[0].is_open && !networks[1].is_open, "sp_stop closes both connections");
  return 0;
}
