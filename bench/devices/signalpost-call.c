/* One side of a call with packages/c-client: signalpost-call HOST PORT stream|poll steps|three answer|call. TOKEN and CALL_ID are variables. */
#define _POSIX_C_SOURCE 200112L

#include "fixture.h"
#include "side.h"
#include "signalpost.h"
#include "sockets.h"

#include <stdlib.h>
#include <string.h>

enum { POLL_MS = 4000 };

static struct sp_client client;
static char call_id[SP_JSON_WHOLE_MAX];
static unsigned arrived;

static const char *token(void *context, bool renew) {
  (void)context, (void)renew;
  return getenv("TOKEN");
}

static void on_value(void *context, const char *type, const struct sp_json_value *value) {
  (void)context, (void)type;
  if (strcmp(value->path, "data.callId") == 0) memcpy(call_id, value->text, value->size + 1);
}

static void on_end(void *context, const char *type, bool is_whole) {
  (void)context;
  if (is_whole) arrived |= bit_of(type);
}

static void await(const char *type) {
  while (!(arrived & bit_of(type)))
    if (sp_receive(&client, POLL_MS) == SP_REFUSED) fail(client.problem.code);
}

static void insist(enum sp_result result) {
  if (result != SP_OK) fail(client.problem.code);
}

static void make_call(bool three, const struct sp_signal *signal) {
  await("snapshot");
  insist(sp_call(&client, getenv("CALL_ID"), "bob", "audio", three ? signal : NULL));
  await("call.accepted");
  if (!three) {
    insist(sp_describe(&client, getenv("CALL_ID"), "offer", 0, signal));
    insist(sp_send_candidates(&client, getenv("CALL_ID"), signal));
    await("signal.answer");
    await("signal.candidates");
  }
  print_answered();
  insist(sp_act(&client, getenv("CALL_ID"), "hangup"));
}

static void answer_call(bool three, const struct sp_signal *signal) {
  await("snapshot");
  print_ready();
  await("call.incoming");
  if (three) {
    insist(sp_accept(&client, call_id, signal));
  } else {
    insist(sp_act(&client, call_id, "accept"));
    await("signal.offer");
    insist(sp_describe(&client, call_id, "answer", 1, signal));
    insist(sp_send_candidates(&client, call_id, signal));
    await("signal.candidates");
  }
  await("call.ended");
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  start_clock();
  const bool calls = strcmp(argv[5], "call") == 0;
  const bool three = strcmp(argv[4], "three") == 0;
  struct sp_sockets requests = {.host = argv[1], .port = argv[2]};
  struct sp_sockets stream = requests;
  const struct sp_config config = {.port = &sp_sockets_port,
                                   .requests = &requests,
                                   .stream = strcmp(argv[3], "stream") == 0 ? &stream : NULL,
                                   .host = argv[1],
                                   .device = "device",
                                   .token = token,
                                   .on_value = on_value,
                                   .on_end = on_end,
                                   .seed = 1};
  struct sp_candidate candidates[CANDIDATES];
  for (int i = 0; i < CANDIDATES; i++)
    candidates[i] = (struct sp_candidate){.line = (calls ? CALLER_CANDIDATES : CALLEE_CANDIDATES)[i], .mid = "0"};
  const char *sdp = calls ? CALLER_SDP : CALLEE_SDP;
  const struct sp_signal signal = {.sdp = sdp,
                                   .sdp_size = strlen(sdp),
                                   .candidates = candidates,
                                   .candidate_count = CANDIDATES,
                                   .is_last = true};
  sp_start(&client, &config);
  if (calls)
    make_call(three, &signal);
  else
    answer_call(three, &signal);
  await_end();
  sp_stop(&client);
  return 0;
}
