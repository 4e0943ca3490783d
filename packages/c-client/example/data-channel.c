/**
 * A device with a data channel: answers the first call, by libdatachannel, sends back what arrives on the data
 * channels of the caller, and ends with the call.
 *
 *     data-channel HOST PORT DEVICE
 *
 * The token is in the variable TOKEN. libdatachannel has threads and memory of its own: the client is used by the
 * main thread alone, and receives by a stream.
 */
#define _POSIX_C_SOURCE 200112L

#include "signalpost.h"
#include "sockets.h"

#include <rtc/rtc.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SDP_SIZE = 65537, CANDIDATES_MAX = 64, RECEIVE_MS = 4000 };

/** What an event says. It counts when the event is whole. */
struct event {
  char call_id[SP_JSON_WHOLE_MAX + 1];
  bool is_listed; /* the snapshot names our call */
  char sdp[SDP_SIZE];
  size_t sdp_size;
  uint32_t revision;
  int candidate_count;
  struct {
    char line[SP_JSON_WHOLE_MAX + 1];
    char mid[32];
  } candidates[CANDIDATES_MAX];
};

static struct sp_client client;
static struct event event;
static char call_id[SP_JSON_WHOLE_MAX + 1];
static int connection = -1;
static bool is_accepted, is_ringing, is_gathered, is_over;
/** The revision of an offer that is not answered yet; 0: there is none. */
static uint32_t offer;
static sem_t gathered;

/* ── libdatachannel: its callbacks come from its threads ── */

static void RTC_API on_message(int channel, const char *data, int size, void *context) {
  (void)context;
  rtcSendMessage(channel, data, size); /* a negative size: text that ends with NUL */
}

static void RTC_API on_channel(int from, int channel, void *context) {
  (void)from, (void)context;
  rtcSetMessageCallback(channel, on_message);
}

static void RTC_API on_gathering(int from, rtcGatheringState state, void *context) {
  (void)from, (void)context;
  if (state == RTC_GATHERING_COMPLETE) sem_post(&gathered);
}

static void open_connection(void) {
  /* Give it the servers of `GET /v1/ice-servers` where there is more than one network. */
  const rtcConfiguration configuration = {0};
  connection = rtcCreatePeerConnection(&configuration);
  rtcSetDataChannelCallback(connection, on_channel);
  rtcSetGatheringStateChangeCallback(connection, on_gathering);
}

/* ── Events: recorded here, and acted on when sp_receive() has returned ── */

static void copy(char *target, size_t target_size, const struct sp_json_value *value) {
  if (value->is_first && value->is_last && value->size < target_size)
    memcpy(target, value->text, value->size + 1);
}

static void append(const struct sp_json_value *piece) {
  if (piece->is_first) event.sdp_size = 0;
  if (event.sdp_size + piece->size >= SDP_SIZE) return;
  memcpy(event.sdp + event.sdp_size, piece->text, piece->size);
  event.sdp_size += piece->size;
  event.sdp[event.sdp_size] = '\0';
}

static void on_value(void *context, const char *type, const struct sp_json_value *value) {
  (void)context;
  const char *path = value->path;
  const bool is_offer = strcmp(type, "signal.offer") == 0;
  const int n = event.candidate_count;
  if (strcmp(path, "data.callId") == 0) copy(event.call_id, sizeof event.call_id, value);
  if (strcmp(type, "snapshot") == 0 && strcmp(path, "calls[].callId") == 0)
    event.is_listed = event.is_listed || strcmp(value->text, call_id) == 0;
  if (strcmp(path, "data.offer.sdp") == 0 || (is_offer && strcmp(path, "data.sdp") == 0)) append(value);
  if (strcmp(path, "data.offer.revision") == 0 || (is_offer && strcmp(path, "data.revision") == 0))
    event.revision = (uint32_t)strtoul(value->text, NULL, 10);
  if (n == CANDIDATES_MAX) return;
  if (strcmp(path, "data.candidates[].candidate") == 0)
    copy(event.candidates[n].line, SP_JSON_WHOLE_MAX + 1, value);
  if (strcmp(path, "data.candidates[].sdpMid") == 0)
    copy(event.candidates[n].mid, sizeof event.candidates[n].mid, value);
  if (strcmp(path, "data.candidates[]") == 0 && value->kind == SP_OBJECT_END) event.candidate_count++;
}

static void take_signals(void) {
  if (event.sdp_size > 0) {
    rtcSetRemoteDescription(connection, event.sdp, "offer"); /* It makes the answer and gathers by itself. */
    offer = event.revision;
  }
  for (int i = 0; i < event.candidate_count; i++)
    if (event.candidates[i].line[0] != '\0')
      rtcAddRemoteCandidate(connection, event.candidates[i].line, event.candidates[i].mid);
}

static void on_end(void *context, const char *type, bool is_whole) {
  (void)context;
  if (is_whole && strcmp(type, "call.incoming") == 0 && call_id[0] == '\0') {
    memcpy(call_id, event.call_id, sizeof call_id);
    is_ringing = true;
    open_connection();
  }
  if (is_whole && call_id[0] != '\0' && strcmp(event.call_id, call_id) == 0) {
    take_signals();
    is_over = is_over || strcmp(type, "call.ended") == 0;
  }
  /* After a `reset`: the end of the call was missed. */
  if (is_whole && strcmp(type, "snapshot") == 0 && call_id[0] != '\0' && !event.is_listed) is_over = true;
  memset(&event, 0, sizeof event);
}

static const char *token(void *context, bool renew) {
  (void)context, (void)renew;
  return getenv("TOKEN");
}

/* ── The loop ── */

/** @return whether to send the request again, after a while: no repeat does harm */
static bool is_unsent(enum sp_result result) {
  const struct timespec time = {.tv_sec = client.wait_ms / 1000,
                                .tv_nsec = (long)(client.wait_ms % 1000) * 1000000};
  if (result == SP_RETRY) nanosleep(&time, NULL);
  if (result == SP_REFUSED) {
    fprintf(stderr, "refused: %u %s\n", client.problem.status, client.problem.code);
    exit(1);
  }
  return result == SP_RETRY;
}

/** The answer contains the candidates, so it needs no request but that of the accept. */
static void answer(void) {
  static char sdp[SDP_SIZE];
  if (!is_gathered) sem_wait(&gathered);
  is_gathered = true;
  const int size = rtcGetLocalDescription(connection, sdp, sizeof sdp);
  if (size < 0) exit(1);
  const struct sp_signal signal = {.sdp = sdp, .sdp_size = strlen(sdp), .is_last = true};
  if (is_accepted) {
    while (is_unsent(sp_describe(&client, call_id, "answer", offer, &signal))) {
    }
  } else {
    while (is_unsent(sp_accept(&client, call_id, &signal))) {
    }
  }
  is_accepted = true;
  offer = 0;
}

static void act(void) {
  if (is_over) return;
  if (offer > 0) {
    answer();
    printf("answered\n");
  } else if (is_ringing && !is_accepted) {
    while (is_unsent(sp_act(&client, call_id, "accept"))) {
    }
    is_accepted = true; /* the offer follows */
  }
}

int main(int argc, char **argv) {
  if (argc != 4 || getenv("TOKEN") == NULL) {
    fprintf(stderr, "usage: TOKEN=... data-channel HOST PORT DEVICE\n");
    return 2;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  sem_init(&gathered, 0, 0);
  char host[280];
  snprintf(host, sizeof host, "%s:%s", argv[1], argv[2]);
  struct sp_sockets requests = {.host = argv[1], .port = argv[2]};
  struct sp_sockets stream = requests;
  const struct sp_config config = {.port = &sp_sockets_port,
                                   .requests = &requests,
                                   .stream = &stream,
                                   .host = host,
                                   .device = argv[3],
                                   .token = token,
                                   .on_value = on_value,
                                   .on_end = on_end};
  sp_start(&client, &config);
  while (is_unsent(sp_receive(&client, 0))) {
  }
  printf("ready\n");
  while (!is_over) {
    is_unsent(sp_receive(&client, RECEIVE_MS));
    act();
  }
  printf("over\n");
  sp_stop(&client);
  rtcDeletePeerConnection(connection);
  rtcCleanup();
  return 0;
}
