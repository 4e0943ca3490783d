/*
 * One side of a call with libmosquitto, on one connection, QoS 1: mqtt-call HOST PORT steps|three answer|call. TOKEN, the password, and
 * CALL_ID are variables. Messages are JSON with the types of Signalpost. They are searched, not parsed, so a parser's memory is not counted.
 */
#define _POSIX_C_SOURCE 200112L

#include "fixture.h"
#include "side.h"

#include <mosquitto.h>
#include <stdbool.h>

enum { QOS = 1, KEEPALIVE_S = 60, LOOP_MS = 4000 };

static struct mosquitto *client;
static const char *self, *other;
static bool is_subscribed;
static unsigned arrived;
static int unacknowledged;

static void on_subscribe(struct mosquitto *from, void *context, int id, int count, const int *granted) {
  (void)from, (void)context, (void)id, (void)count, (void)granted;
  is_subscribed = true;
}

static void on_publish(struct mosquitto *from, void *context, int id) {
  (void)from, (void)context, (void)id;
  unacknowledged--;
}

static void on_message(struct mosquitto *from, void *context, const struct mosquitto_message *message) {
  (void)from, (void)context;
  char type[32];
  if (message->payloadlen > 0 && sscanf(message->payload, "{\"type\":\"%31[^\"]\"", type) == 1) arrived |= bit_of(type);
}

static void run_loop(void) {
  const int code = mosquitto_loop(client, LOOP_MS, 1);
  if (code != MOSQ_ERR_SUCCESS) fail(mosquitto_strerror(code));
}

static void await(const char *type) {
  while (!(arrived & bit_of(type))) run_loop();
}

/** @param members of the message after its type and call, or nothing */
static void publish(const char *type, const char *members) {
  static char text[8192];
  char topic[32];
  snprintf(topic, sizeof topic, "calls/%s", other);
  const int size = snprintf(text, sizeof text, "{\"type\":\"%s\",\"callId\":\"%s\",\"from\":\"%s\"%s}", type, getenv("CALL_ID"), self, members);
  const int code = mosquitto_publish(client, NULL, topic, size, text, QOS, false);
  if (code != MOSQ_ERR_SUCCESS) fail(mosquitto_strerror(code));
  unacknowledged++;
}

static void make_call(bool three) {
  publish("call.incoming", three ? CALLER_SIGNAL_JSON : "");
  await("call.accepted");
  if (!three) {
    publish("signal.offer", CALLER_SDP_JSON);
    publish("signal.candidates", CALLER_CANDIDATES_JSON);
    await("signal.answer");
    await("signal.candidates");
  }
  print_answered();
  publish("call.ended", "");
}

static void answer_call(bool three) {
  print_ready();
  await("call.incoming");
  publish("call.accepted", three ? CALLEE_SIGNAL_JSON : "");
  if (!three) {
    await("signal.offer");
    publish("signal.answer", CALLEE_SDP_JSON);
    publish("signal.candidates", CALLEE_CANDIDATES_JSON);
    await("signal.candidates");
  }
  await("call.ended");
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  start_clock();
  const bool three = strcmp(argv[3], "three") == 0, calls = strcmp(argv[4], "call") == 0;
  self = calls ? "alice" : "bob";
  other = calls ? "bob" : "alice";
  char topic[32];
  snprintf(topic, sizeof topic, "calls/%s", self);
  mosquitto_lib_init();
  client = mosquitto_new(self, true, NULL);
  mosquitto_username_pw_set(client, self, getenv("TOKEN"));
  mosquitto_subscribe_callback_set(client, on_subscribe);
  mosquitto_publish_callback_set(client, on_publish);
  mosquitto_message_callback_set(client, on_message);
  mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
  if (mosquitto_connect(client, argv[1], atoi(argv[2]), KEEPALIVE_S) != MOSQ_ERR_SUCCESS) fail("no connection");
  if (mosquitto_subscribe(client, NULL, topic, QOS) != MOSQ_ERR_SUCCESS) fail("not subscribed");
  while (!is_subscribed) run_loop();
  if (calls)
    make_call(three);
  else
    answer_call(three);
  while (unacknowledged > 0) run_loop();
  await_end();
  mosquitto_disconnect(client);
  mosquitto_destroy(client);
  mosquitto_lib_cleanup();
  return 0;
}
