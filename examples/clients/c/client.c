/**
 * Makes a call (`./run.sh call bob`), or answers one (`./run.sh answer`): requests and events by
 * packages/c-client, long-poll. Signaling only: its descriptions are always the same, and no media flows.
 */
#define _POSIX_C_SOURCE 200112L

#include "signalpost.h"
#include "sockets.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/** In a call the server waits 5 s for a device that does not poll. */
enum { POLL_MS = 4000 };

/** The description of a data channel that is never opened. */
#define SDP(setup)                                                                                           \
  "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"  \
  "c=IN IP4 0.0.0.0\r\na=ice-ufrag:F7gI\r\na=ice-pwd:x9cml/YzichV2+XlhiMu8g\r\na=fingerprint:sha-256 "       \
  "D1:2C:BE:AD:C4:F6:64:5C:25:16:11:9C:AF:E7:0F:73:79:36:4E:9C:1E:15:54:39:0C:06:8B:ED:96:86:00:39\r\n"      \
  "a=setup:" setup "\r\na=mid:0\r\na=sctp-port:5000\r\n"

static const char OFFER[] = SDP("actpass"), ANSWER[] = SDP("active");

/** What this program reads of an event. It counts when the event is whole. */
struct event {
  char call_id[SP_JSON_WHOLE_MAX], from[SP_JSON_WHOLE_MAX], reason[24];
  bool has_answer;
};

static struct sp_client client;
static struct event event;
static bool is_ready, is_accepted, is_answered, is_ended;
/** The call that we are in, and why it has ended. */
static char call_id[SP_JSON_WHOLE_MAX], caller[SP_JSON_WHOLE_MAX], reason[24];
static volatile sig_atomic_t is_interrupted;

static void copy(char *target, size_t size, const struct sp_json_value *value) {
  if (value->is_first && value->is_last && value->size < size) memcpy(target, value->text, value->size + 1);
}

static void on_value(void *context, const char *type, const struct sp_json_value *value) {
  (void)context;
  const char *path = value->path;
  if (strcmp(path, "data.callId") == 0) copy(event.call_id, sizeof event.call_id, value);
  if (strcmp(path, "data.from.user") == 0) copy(event.from, sizeof event.from, value);
  if (strcmp(path, "data.reason") == 0) copy(event.reason, sizeof event.reason, value);
  /* Long texts come in pieces: here your WebRTC stack takes them. The answer comes with the accept, or after it. */
  const bool is_answer = strcmp(path, "data.answer.sdp") == 0;
  if (is_answer || (strcmp(type, "signal.answer") == 0 && strcmp(path, "data.sdp") == 0))
    event.has_answer = true;
}

static void on_end(void *context, const char *type, bool is_whole) {
  (void)context;
  const bool is_ours = strcmp(event.call_id, call_id) == 0;
  if (is_whole && strcmp(type, "snapshot") == 0) {
    is_ready = true;
  } else if (is_whole && strcmp(type, "call.incoming") == 0 && call_id[0] == '\0') {
    memcpy(call_id, event.call_id, sizeof call_id);
    memcpy(caller, event.from, sizeof caller);
  } else if (is_whole && is_ours && event.call_id[0] != '\0') {
    is_accepted = is_accepted || strcmp(type, "call.accepted") == 0;
    is_answered = is_answered || event.has_answer;
    is_ended = is_ended || strcmp(type, "call.ended") == 0;
    memcpy(reason, event.reason, sizeof reason);
  }
  memset(&event, 0, sizeof event);
}

static const char *token(void *context, bool renew) {
  (void)context, (void)renew;
  return getenv("SIGNALPOST_TOKEN");
}

/** @return whether to send the request again, after a while. That does no harm, because the caller has chosen the id of the call. */
static bool is_unsent(enum sp_result result) {
  if (result == SP_REFUSED) {
    fprintf(stderr, "%u %s\n", client.problem.status, client.problem.code);
    exit(1);
  }
  const struct timespec wait = {.tv_sec = client.wait_ms / 1000,
                                .tv_nsec = (long)(client.wait_ms % 1000) * 1000000};
  if (result == SP_RETRY) nanosleep(&wait, NULL);
  return result == SP_RETRY && !is_interrupted;
}

/** Receives until the condition holds, or the call has ended. */
static void receive_until(const bool *condition) {
  while (!*condition && !is_ended && !is_interrupted) is_unsent(sp_receive(&client, POLL_MS));
}

static void hang_up(void) {
  while (is_unsent(sp_act(&client, call_id, "hangup"))) {
  }
}

static int make_call(const char *user, const struct sp_signal *offer) {
  snprintf(call_id, sizeof call_id, "c-%lx-%lx", (long)time(NULL), (long)getpid());
  receive_until(&is_ready);
  while (is_unsent(sp_call(&client, call_id, user, "data", offer))) {
  }
  receive_until(&is_accepted);
  if (is_accepted) printf("accepted\n");
  receive_until(&is_answered);
  if (!is_ended) hang_up();
  printf("ended: %s\n", is_ended ? reason : "hangup");
  return is_answered && !is_ended ? 0 : 1;
}

static int answer_call(const struct sp_signal *answer) {
  receive_until(&is_ready);
  printf("ready\n");
  while (call_id[0] == '\0' && !is_interrupted) is_unsent(sp_receive(&client, POLL_MS));
  if (is_interrupted) return 1;
  printf("incoming from %s\n", caller);
  while (is_unsent(sp_accept(&client, call_id, answer))) {
  }
  receive_until(&is_ended);
  if (!is_ended) hang_up();
  printf("ended: %s\n", is_ended ? reason : "hangup");
  return 0;
}

static void interrupt(int number) {
  (void)number;
  is_interrupted = true;
}

int main(int argc, char **argv) {
  static char host[256], name[256], port[6] = "80";
  const char *url = getenv("SIGNALPOST_URL"), *device = getenv("DEVICE");
  if (url == NULL) url = "http://127.0.0.1:8080";
  /* TLS needs another port of the client: see its README. */
  const bool is_url =
      sscanf(url, "http://%255[^/]", host) == 1 && sscanf(host, "%255[^:]:%5[0-9]", name, port) > 0;
  if (!is_url || token(NULL, false) == NULL || argc < 2) {
    fprintf(stderr, "usage: SIGNALPOST_TOKEN=... run.sh answer | call USER\n");
    return 1;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  sigaction(SIGINT, &(struct sigaction){.sa_handler = interrupt}, NULL);

  struct sp_sockets requests = {.host = name, .port = port};
  const struct sp_config config = {.port = &sp_sockets_port,
                                   .requests = &requests,
                                   .host = host,
                                   .device = device == NULL ? "c" : device,
                                   .token = token,
                                   .on_value = on_value,
                                   .on_end = on_end,
                                   .seed = (uint32_t)getpid()};
  const struct sp_signal offer = {.sdp = OFFER, .sdp_size = sizeof OFFER - 1, .is_last = true};
  const struct sp_signal answer = {.sdp = ANSWER, .sdp_size = sizeof ANSWER - 1, .is_last = true};
  sp_start(&client, &config);
  const int code = argc == 3 ? make_call(argv[2], &offer) : answer_call(&answer);
  sp_stop(&client);
  return code;
}
