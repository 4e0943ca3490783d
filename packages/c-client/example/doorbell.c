/**
 * A door station: `doorbell … answer` waits for a call, answers it and waits for the hang-up; `doorbell …
 * call USER` calls a user, waits for the answer and hangs up. Ctrl-C is its button: it hangs up. Everything but
 * the WebRTC stack: it prints descriptions instead of passing them to one.
 *
 *     doorbell [-p] [-d DEVICE] HOST PORT answer|call USER        -p: long-poll instead of a stream
 *
 * The token is in the variable TOKEN.
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

/* ── What the WebRTC stack of your device would make ── */

static const char OFFER[] = "v=0\r\n"
                            "o=- 4611731400430051336 2 IN IP4 127.0.0.1\r\n"
                            "s=-\r\n"
                            "t=0 0\r\n"
                            "a=group:BUNDLE 0\r\n"
                            "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
                            "c=IN IP4 0.0.0.0\r\n"
                            "a=rtcp-mux\r\n"
                            "a=ice-ufrag:F7gI\r\n"
                            "a=ice-pwd:x9cml/YzichV2+XlhiMu8g\r\n"
                            "a=fingerprint:sha-256 D1:2C:BE:AD:C4:F6:64:5C:25:16:11:9C:AF:E7:0F:73:"
                            "79:36:4E:9C:1E:15:54:39:0C:06:8B:ED:96:86:00:39\r\n"
                            "a=setup:actpass\r\n"
                            "a=mid:0\r\n"
                            "a=sendrecv\r\n"
                            "a=rtpmap:111 opus/48000/2\r\n";
static const struct sp_candidate CANDIDATE = {
    .line = "candidate:1 1 udp 2122260223 192.0.2.1 46154 typ host", .mid = "0", .index = 0};
static const struct sp_signal DESCRIPTION = {.sdp = OFFER,
                                             .sdp_size = sizeof OFFER - 1,
                                             .candidates = &CANDIDATE,
                                             .candidate_count = 1,
                                             .is_last = true};

/* ── The state of the device: the callbacks write it, the loop acts on it ── */

enum phase { WAITING, RINGING, CALLING, CALLED, IN_CALL, OVER };

struct doorbell {
  enum phase phase;
  char call_id[SP_JSON_WHOLE_MAX];       /* the call that we are in */
  char event_call_id[SP_JSON_WHOLE_MAX]; /* the call that the event is about */
  bool is_listed;                        /* the snapshot names the call that we are in */
  bool is_merged;                        /* the callee was calling us: we are in that call */
  char from[SP_JSON_WHOLE_MAX];
  char reason[24];
  size_t sdp_size;
  uint32_t revision; /* of the offer in the event */
  uint32_t offer;    /* of the offer to answer, in the call that we are in; 0: none */
  int candidates;
};

/* ── The button ── */

static volatile sig_atomic_t is_pressed;
/** A byte in it wakes sp_receive(), also while it polls. */
static int button[2];

static void press(int signal) {
  (void)signal;
  is_pressed = 1;
  (void)!write(button[1], "", 1); /* if the pipe is full it wakes anyway */
}

static void copy(char *target, size_t target_size, const struct sp_json_value *value) {
  if (value->size < target_size && value->is_first && value->is_last)
    memcpy(target, value->text, value->size + 1);
}

static bool is_path(const struct sp_json_value *value, const char *path) {
  return strcmp(value->path, path) == 0;
}

/** Values arrive in order. A description comes in pieces: pass them to your stack. */
static void on_value(void *context, const char *type, const struct sp_json_value *value) {
  struct doorbell *doorbell = context;
  /* It comes with the call or the accept, or in an event of its own. */
  const bool is_signal = strcmp(type, "signal.offer") == 0 || strcmp(type, "signal.answer") == 0;
  const bool is_description = is_path(value, "data.offer.sdp") || is_path(value, "data.answer.sdp");
  if (is_description || (is_signal && is_path(value, "data.sdp"))) {
    doorbell->sdp_size = value->is_first ? value->size : doorbell->sdp_size + value->size;
  } else if (is_path(value, is_signal ? "data.revision" : "data.offer.revision")) {
    doorbell->revision = (uint32_t)strtoul(value->text, NULL, 10);
  } else if (is_path(value, "data.callId")) {
    copy(doorbell->event_call_id, sizeof doorbell->event_call_id, value);
  } else if (is_path(value, "call.callId") && doorbell->phase == CALLING) {
    copy(doorbell->call_id, sizeof doorbell->call_id, value); /* another one if the callee was calling us */
  } else if (strcmp(type, "reply") == 0 && is_path(value, "resolution")) {
    doorbell->is_merged = strcmp(value->text, "merged") == 0;
  } else if (strcmp(type, "snapshot") == 0 && is_path(value, "calls[].callId")) {
    doorbell->is_listed = doorbell->is_listed || strcmp(value->text, doorbell->call_id) == 0;
  } else if (is_path(value, "data.from.user")) {
    copy(doorbell->from, sizeof doorbell->from, value);
  } else if (is_path(value, "data.candidates[].candidate") && value->is_last) {
    doorbell->candidates++;
  } else if (is_path(value, "data.reason")) {
    copy(doorbell->reason, sizeof doorbell->reason, value);
  } else if (strcmp(type, "problem") == 0 && is_path(value, "detail")) {
    fprintf(stderr, "%.*s\n", (int)value->size, value->text);
  }
}

/** The server knows the call that this device is in. Not before sp_call() is done. */
static bool is_in_call(const struct doorbell *doorbell) {
  return doorbell->phase == RINGING || doorbell->phase == CALLED || doorbell->phase == IN_CALL;
}

/** Only now do the values count: an event that is not whole comes again. */
static void on_end(void *context, const char *type, bool is_whole) {
  struct doorbell *doorbell = context;
  const bool is_listed = doorbell->is_listed;
  const uint32_t revision = doorbell->revision;
  doorbell->is_listed = false;
  doorbell->revision = 0;
  if (!is_whole) {
    doorbell->candidates = 0;
    return;
  }
  const bool is_ours = strcmp(doorbell->event_call_id, doorbell->call_id) == 0;
  if (strcmp(type, "call.incoming") == 0 && doorbell->phase == WAITING) {
    memcpy(doorbell->call_id, doorbell->event_call_id, sizeof doorbell->call_id);
    doorbell->phase = RINGING;
    doorbell->offer = revision;
  } else if (strcmp(type, "signal.offer") == 0 && is_ours) {
    doorbell->offer = revision;
  } else if (strcmp(type, "call.accepted") == 0 && is_ours) {
    doorbell->phase = IN_CALL;
  } else if (strcmp(type, "call.ended") == 0 && is_ours) {
    doorbell->phase = OVER;
  } else if (strcmp(type, "snapshot") == 0 && is_in_call(doorbell) && !is_listed) {
    /* The event was lost: the device was away for long, or the server has lost its memory. */
    strcpy(doorbell->reason, "not in the snapshot");
    doorbell->phase = OVER;
  }
}

static const char *token(void *context, bool renew) {
  (void)context;
  (void)renew; /* ask your backend for another one */
  return getenv("TOKEN");
}

/* ── The loop ── */

static void wait_ms(uint32_t ms) {
  const struct timespec time = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
  nanosleep(&time, NULL);
}

/** Repeats what could not be done. @return whether it was done in the end */
static bool is_done(struct sp_client *client, enum sp_result result) {
  const struct sp_problem *problem = &client->problem;
  if (result == SP_RETRY || result == SP_REFUSED)
    fprintf(stderr, "%s: %u %s\n", result == SP_RETRY ? "trying again" : "refused", problem->status,
            problem->code);
  if (result == SP_RETRY) wait_ms(client->wait_ms);
  return result == SP_OK;
}

static void act(struct sp_client *client, struct doorbell *doorbell) {
  if (doorbell->phase == RINGING) {
    printf("%s calls: %zu bytes of description, %d candidates\n", doorbell->from, doorbell->sdp_size,
           doorbell->candidates);
    /* Without an offer there is nothing to answer yet: it follows. */
    const enum sp_result result =
        sp_accept(client, doorbell->call_id, doorbell->offer > 0 ? &DESCRIPTION : NULL);
    if (is_done(client, result)) {
      printf(doorbell->offer > 0 ? "answered\n" : "accepted\n");
      doorbell->phase = IN_CALL;
      doorbell->offer = 0;
    } else if (result == SP_REFUSED) {
      doorbell->phase = WAITING; /* it has ended, or another device has answered */
    }
  } else if (doorbell->phase == IN_CALL && is_pressed) {
    if (is_done(client, sp_act(client, doorbell->call_id, "hangup"))) {
      strcpy(doorbell->reason, "hung up here");
      doorbell->phase = OVER;
    }
  } else if (doorbell->phase == IN_CALL && doorbell->offer > 0) {
    const enum sp_result result =
        sp_describe(client, doorbell->call_id, "answer", doorbell->offer, &DESCRIPTION);
    if (is_done(client, result)) printf("answered: offer %u\n", (unsigned)doorbell->offer);
    if (result != SP_RETRY) doorbell->offer = 0; /* refused: a newer one follows */
  }
  if (doorbell->phase == OVER) {
    printf("over: %s\n", doorbell->reason);
  }
  fflush(stdout);
}

/** @return the exit code */
static int answer(struct sp_client *client, struct doorbell *doorbell) {
  while (doorbell->phase != OVER && (!is_pressed || is_in_call(doorbell))) {
    const enum sp_result result = sp_receive(client, 4000);
    if (result == SP_REFUSED) return is_done(client, result) ? 0 : 1;
    is_done(client, result);
    act(client, doorbell);
  }
  return 0;
}

/** @return the exit code */
static int call(struct sp_client *client, struct doorbell *doorbell, const char *to) {
  doorbell->phase = CALLING;
  snprintf(doorbell->call_id, sizeof doorbell->call_id, "doorbell-%ld-%ld", (long)time(NULL), (long)getpid());
  enum sp_result result;
  do {
    result = sp_receive(client, 0); /* the snapshot, which registers this device */
    is_done(client, result);
  } while (result == SP_RETRY);
  do {
    result = sp_call(client, doorbell->call_id, to, "audio", &DESCRIPTION);
    if (!is_done(client, result) && result == SP_REFUSED) return 1;
  } while (result == SP_RETRY);
  printf("calling %s\n", to);
  doorbell->phase = doorbell->is_merged ? IN_CALL : CALLED;
  while (doorbell->phase == CALLED) {
    result = sp_receive(client, 4000);
    if (!is_done(client, result) && result == SP_REFUSED) return 1;
  }
  if (doorbell->phase == OVER) {
    printf("over: %s\n", doorbell->reason);
    return 1;
  }
  printf("answered: %zu bytes of description, %d candidates\n", doorbell->sdp_size, doorbell->candidates);
  while (!is_done(client, result = sp_act(client, doorbell->call_id, "hangup")))
    if (result == SP_REFUSED) return 1;
  printf("hung up\n");
  return 0;
}

static int usage(void) {
  fprintf(stderr, "usage: TOKEN=... doorbell [-p] [-d DEVICE] HOST PORT answer|call USER\n");
  return 2;
}

/* Not on the stack: it is the memory that the client has. */
static struct sp_client client;

int main(int argc, char **argv) {
  const char *device = NULL;
  bool polls = false;
  for (int option; (option = getopt(argc, argv, "pd:")) != -1;) {
    if (option == '?') return usage();
    if (option == 'p') polls = true;
    if (option == 'd') device = optarg;
  }
  argv += optind;
  argc -= optind;
  const bool calls = argc == 4 && strcmp(argv[2], "call") == 0;
  const bool answers = argc == 3 && strcmp(argv[2], "answer") == 0;
  if ((!calls && !answers) || getenv("TOKEN") == NULL) return usage();

  char host[280];
  snprintf(host, sizeof host, "%s:%s", argv[0], argv[1]);
  if (pipe(button) != 0) return 1;
  if (answers) sigaction(SIGINT, &(struct sigaction){.sa_handler = press}, NULL);
  struct sp_sockets requests = {.host = argv[0], .port = argv[1], .wake = &button[0]};
  struct sp_sockets stream = requests;
  struct doorbell doorbell = {.phase = WAITING};
  const struct sp_config config = {.port = &sp_sockets_port,
                                   .requests = &requests,
                                   .stream = polls ? NULL : &stream,
                                   .host = host,
                                   .device = device,
                                   .token = token,
                                   .on_value = on_value,
                                   .on_end = on_end,
                                   .context = &doorbell,
                                   .seed = (uint32_t)getpid()};
  sp_start(&client, &config);
  const int code = calls ? call(&client, &doorbell, argv[3]) : answer(&client, &doorbell);
  sp_stop(&client);
  return code;
}
