/**
 * A camera with a key of its own, kept in FILE: no token is given to it, and its clock may be wrong.
 *
 *     camera FILE HOST PORT enroll CODE    makes a key, and redeems an enrollment code
 *     camera FILE HOST PORT answer         answers a call, and waits for its end
 *     camera FILE HOST PORT call USER      calls a user, waits for the answer and hangs up
 *     camera FILE HOST PORT rotate         replaces the key
 *
 * doorbell.c shows what a whole program does with calls; this one shows what a device does with its key.
 */
#define _POSIX_C_SOURCE 200809L

#include "signalpost_device.h"
#include "sockets.h"
#include "sp_sodium.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct sp_client client;
static struct sp_device device;

/* ── What is kept: two seeds, because a key may be about to be replaced, the user and the device ── */

static struct sp_sodium_key keys[2];
static uint8_t key_count;

static bool save(const char *file) {
  char temporary[1024];
  if (snprintf(temporary, sizeof temporary, "%s.new", file) >= (int)sizeof temporary) return false;
  FILE *kept = fopen(temporary, "wb");
  if (kept == NULL) return false;
  bool is_written = fwrite(&key_count, 1, 1, kept) == 1;
  for (uint8_t i = 0; i < key_count; i++) is_written &= fwrite(keys[i].seed, 32, 1, kept) == 1;
  is_written &= fwrite(device.user, sizeof device.user, 1, kept) == 1;
  is_written &= fwrite(device.device, sizeof device.device, 1, kept) == 1;
  is_written &= fflush(kept) == 0 && fsync(fileno(kept)) == 0;
  return fclose(kept) == 0 && is_written && rename(temporary, file) == 0;
}

static void load(const char *file) {
  FILE *kept = fopen(file, "rb");
  if (kept == NULL) return;
  bool is_read = fread(&key_count, 1, 1, kept) == 1 && key_count <= 2;
  for (uint8_t i = 0; is_read && i < key_count; i++)
    is_read = fread(keys[i].seed, 32, 1, kept) == 1 && sp_sodium_load(&keys[i]);
  is_read = is_read && fread(device.user, sizeof device.user, 1, kept) == 1 &&
            fread(device.device, sizeof device.device, 1, kept) == 1;
  fclose(kept);
  if (!is_read) key_count = 0;
}

static void use_key(uint8_t index) {
  device.sign = sp_sodium_sign;
  device.signer = &keys[index];
}

/* ── Calls ── */

static char call_id[SP_JSON_WHOLE_MAX];
static enum { WAITING, RINGING, CALLED, IN_CALL, OVER } phase;
static char event_call_id[SP_JSON_WHOLE_MAX];

static void on_value(void *context, const char *type, const struct sp_json_value *value) {
  (void)context;
  (void)type;
  if (strcmp(value->path, "data.callId") == 0 && value->size < sizeof event_call_id)
    memcpy(event_call_id, value->text, value->size + 1);
}

static void on_end(void *context, const char *type, bool is_whole) {
  (void)context;
  if (!is_whole) return;
  const bool is_ours = strcmp(event_call_id, call_id) == 0;
  if (strcmp(type, "call.incoming") == 0 && phase == WAITING) {
    memcpy(call_id, event_call_id, sizeof call_id);
    phase = RINGING;
  } else if (strcmp(type, "call.accepted") == 0 && is_ours) {
    phase = IN_CALL;
  } else if (strcmp(type, "call.ended") == 0 && is_ours) {
    phase = OVER;
  }
}

static const char *token(void *context, bool renew) {
  (void)context;
  return sp_token_of(&device, renew);
}

/* ── The loop ── */

static void wait_ms(uint32_t ms) {
  const struct timespec time = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
  nanosleep(&time, NULL);
}

/** Repeats a request until it is done. @return false: it was refused */
#define UNTIL_DONE(request)                                                                                  \
  for (;;) {                                                                                                 \
    const enum sp_result result = request;                                                                   \
    if (result == SP_OK) break;                                                                              \
    if (result == SP_REFUSED) return false;                                                                  \
    if (result == SP_RETRY) wait_ms(client.wait_ms);                                                         \
  }

/** While a key is being replaced, the reply that says which one is valid may have been lost. */
static bool get_token(const char *file) {
  for (uint8_t i = 0; i < key_count; i++) {
    use_key(i);
    for (;;) {
      const enum sp_result result = sp_get_token(&client, &device);
      if (result == SP_RETRY) wait_ms(client.wait_ms);
      if (result == SP_REFUSED) break;
      if (result != SP_OK) continue;
      keys[0] = keys[i];
      use_key(0);
      const bool was_replaced = key_count > 1;
      key_count = 1;
      return !was_replaced || save(file);
    }
    if (strcmp(client.problem.code, "invalid_credential") != 0) return false;
  }
  return false;
}

/** Does what sp_receive() asks for. @return false: it was refused */
static bool receive(const char *file) {
  const enum sp_result result = sp_receive(&client, 4000);
  if (result == SP_REFUSED) return false;
  if (result != SP_RETRY) return true;
  if (device.token[0] == '\0') return get_token(file);
  wait_ms(client.wait_ms);
  return true;
}

static bool enroll(const char *file, const char *code) {
  key_count = 1;
  if (!sp_sodium_make(&keys[0]) || !save(file)) return false;
  use_key(0);
  UNTIL_DONE(sp_enroll(&client, &device, code, keys[0].public_key))
  printf("enrolled as %s, device %s\n", device.user, device.device);
  return save(file);
}

static bool rotate(const char *file) {
  if (!get_token(file) || !sp_sodium_make(&keys[1])) return false;
  key_count = 2;
  if (!save(file)) return false;
  UNTIL_DONE(sp_replace_key(&client, &device, keys[1].public_key, sp_sodium_sign, &keys[1]))
  keys[0] = keys[1];
  key_count = 1;
  printf("the new key is valid\n");
  return save(file);
}

static bool answer(const char *file) {
  if (!get_token(file)) return false;
  bool is_ready = false;
  while (phase != OVER) {
    if (!receive(file)) return false;
    if (!is_ready && client.cursor[0] != '\0') printf("ready\n");
    is_ready = is_ready || client.cursor[0] != '\0';
    fflush(stdout);
    if (phase != RINGING) continue;
    UNTIL_DONE(sp_accept(&client, call_id, NULL))
    printf("accepted\n");
    phase = IN_CALL;
  }
  printf("over\n");
  return true;
}

static bool call(const char *file, const char *to) {
  if (!get_token(file)) return false;
  /* Not from the clock, which is wrong: from the same randomness as keys. */
  struct sp_sodium_key random;
  if (!sp_sodium_make(&random)) return false;
  for (size_t i = 0; i < 16; i++) snprintf(call_id + 2 * i, 3, "%02x", random.seed[i]);
  phase = CALLED;
  UNTIL_DONE(sp_receive(&client, 0)) /* the snapshot, which registers this device */
  UNTIL_DONE(sp_call(&client, call_id, to, "video", NULL))
  printf("calling %s\n", to);
  fflush(stdout);
  while (phase == CALLED)
    if (!receive(file)) return false;
  printf(phase == IN_CALL ? "answered\n" : "over\n");
  if (phase == IN_CALL) UNTIL_DONE(sp_act(&client, call_id, "hangup"))
  return true;
}

int main(int count, char **arguments) {
  if (count < 5) {
    fprintf(stderr, "usage: camera FILE HOST PORT enroll CODE|answer|call USER|rotate\n");
    return 2;
  }
  const char *file = arguments[1];
  const char *command = arguments[4];
  const char *argument = count > 5 ? arguments[5] : "";
  struct sp_sockets requests = {.host = arguments[2], .port = arguments[3]};
  struct sp_sockets stream = requests;
  const struct sp_config config = {.port = &sp_sockets_port,
                                   .requests = &requests,
                                   .stream = &stream,
                                   .host = arguments[2],
                                   .token = token,
                                   .on_value = on_value,
                                   .on_end = on_end,
                                   .seed = (uint32_t)getpid()};
  sp_start(&client, &config);
  load(file);
  const bool is_done = strcmp(command, "enroll") == 0   ? enroll(file, argument)
                       : strcmp(command, "rotate") == 0 ? rotate(file)
                       : strcmp(command, "call") == 0   ? call(file, argument)
                                                        : answer(file);
  sp_stop(&client);
  if (!is_done) fprintf(stderr, "refused: %u %s\n", client.problem.status, client.problem.code);
  return is_done ? 0 : 1;
}
