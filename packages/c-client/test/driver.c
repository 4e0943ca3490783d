/**
 * Runs the client by commands, one a line, and prints what it receives as lines of JSON. The tests of the
 * project talk to it; it is a way to try the client by hand as well. It runs on a stack of its own whose use
 * it can measure, so it avoids printf and scanf.
 *
 *     driver HOST PORT stream|poll           TOKEN, CURSOR, DEVICE, NEXT_TOKEN, TOKENLESS (and AUTHORITIES, PEM text,
 * with TLS): variables of the environment
 */
#define _POSIX_C_SOURCE 200112L

#include "signalpost.h"
#include "sockets.h"
#ifdef WITH_TLS
#include "mbedtls.h"
#endif

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { STACK_SIZE = 131072, STACK_PAINT = 0xA5, WAIT_MAX_MS = 1, ATTEMPTS_MAX = 20000 };

/* ── Output ── */

static char output[4096];
static size_t output_size;

static void flush_output(void) {
  for (size_t done = 0; done < output_size;) {
    const ssize_t written = write(1, output + done, output_size - done);
    if (written <= 0) exit(3);
    done += (size_t)written;
  }
  output_size = 0;
}

static void print(const char *text) {
  for (; *text != '\0'; text++) {
    if (output_size == sizeof output) flush_output();
    output[output_size++] = *text;
  }
}

static void print_json(const char *text, size_t size) {
  print("\"");
  for (size_t i = 0; i < size; i++) {
    const unsigned char byte = (unsigned char)text[i];
    const char *digits = "0123456789abcdef";
    const char escape[] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15], '\0'};
    const char plain[] = {text[i], '\0'};
    print(byte < 0x20 || byte == '"' || byte == '\\' ? escape : plain);
  }
  print("\"");
}

static void print_number(uint32_t number) {
  char digits[11];
  char *at = digits + 10;
  *at = '\0';
  do {
    *--at = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  print(at);
}

/* ── The client ── */

static struct sp_client client;
static char sdp[66000];
static struct sp_candidate candidate = {"candidate:1 1 udp 2122260223 192.0.2.1 46154 typ host", "0", 0};
static struct sp_signal signal_of_device = {.candidates = &candidate, .candidate_count = 1, .is_last = true};
/** The type that `until` waits for. */
static const char *awaited = "";
static bool has_arrived;
static bool has_renewed;

/* ── The port: that of the project, which can be woken ── */

static struct sp_port port;
static int (*receive_below)(void *network, void *buffer, size_t size, uint32_t timeout_ms);
static bool is_woken;

static int receive(void *network, void *buffer, size_t size, uint32_t timeout_ms) {
  if (!is_woken) return receive_below(network, buffer, size, timeout_ms);
  is_woken = false;
  return SP_WOKEN;
}

static const char *token(void *context, bool renew) {
  (void)context;
  const char *next = getenv("NEXT_TOKEN");
  if (getenv("TOKENLESS") != NULL) return NULL;
  if (renew) {
    print("{\"token\":\"renewed\"}\n");
    has_renewed = true;
  }
  return has_renewed && next != NULL ? next : getenv("TOKEN");
}

static void on_value(void *context, const char *type, const struct sp_json_value *value) {
  static const char *const kinds[] = {"string", "number", "literal", "{", "}", "[", "]"};
  (void)context;
  print("{\"type\":");
  print_json(type, strlen(type));
  print(",\"path\":");
  print_json(value->path, strlen(value->path));
  print(",\"kind\":\"");
  print(kinds[value->kind]);
  print("\",\"text\":");
  print_json(value->text, value->size);
  print(value->is_first ? ",\"first\":true" : ",\"first\":false");
  print(value->is_last ? ",\"last\":true}\n" : ",\"last\":false}\n");
}

static void on_end(void *context, const char *type, bool is_whole) {
  (void)context;
  if (is_whole && strcmp(type, awaited) == 0) has_arrived = true;
  print("{\"end\":");
  print_json(type, strlen(type));
  print(is_whole ? ",\"whole\":true}\n" : ",\"whole\":false}\n");
}

#ifdef WITH_TLS
static void print_tls_error(void) {
  const struct sp_mbedtls *network = client.config.requests;
  print(",\"isCertificateRefused\":");
  print(network->error == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED ? "true" : "false");
  print(",\"isOfAnotherName\":");
  print((network->verify_result & MBEDTLS_X509_BADCERT_CN_MISMATCH) != 0 ? "true" : "false");
}
#endif

static void print_result(enum sp_result result) {
  static const char *const names[] = {"ok", "idle", "retry", "refused"};
  print("{\"result\":\"");
  print(names[result]);
  print("\",\"waitMs\":");
  print_number(client.wait_ms);
  print(",\"status\":");
  print_number(client.problem.status);
  print(",\"code\":");
  print_json(client.problem.code, strlen(client.problem.code));
  print(",\"cursor\":");
  print_json(client.cursor, strlen(client.cursor));
#ifdef WITH_TLS
  print_tls_error();
#endif
  print(client.polls_left > 0 ? ",\"polls\":true}\n" : ",\"polls\":false}\n");
  flush_output();
}

/* ── Commands ── */

/** Cuts the next word from the line. */
static char *next_word(char **line) {
  char *word = *line;
  char *end = strchr(word, ' ');
  *line = end == NULL ? word + strlen(word) : end + 1;
  if (end != NULL) *end = '\0';
  return word;
}

/** Waits for less time than the client says: the tests decide when the server is there again. */
static void wait_shortly(void) {
  const uint32_t ms = client.wait_ms < WAIT_MAX_MS ? client.wait_ms : WAIT_MAX_MS;
  const struct timespec time = {.tv_nsec = (long)ms * 1000000};
  nanosleep(&time, NULL);
}

static enum sp_result receive_until(const char *type, uint32_t timeout_ms) {
  enum sp_result result = SP_IDLE;
  awaited = type;
  has_arrived = false;
  for (int i = 0; i < ATTEMPTS_MAX && !has_arrived && result != SP_REFUSED; i++) {
    result = sp_receive(&client, timeout_ms);
    if (result == SP_RETRY) wait_shortly();
  }
  awaited = "";
  return result;
}

/** The description of the device: `size` bytes, lines of 80 after the mandatory ones. */
static void make_sdp(const char *ufrag, size_t size) {
  strcpy(sdp, "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=application 9 UDP/DTLS/SCTP "
              "webrtc-datachannel\r\n"
              "c=IN IP4 0.0.0.0\r\na=ice-pwd:x9cml/YzichV2+XlhiMu8g\r\na=mid:0\r\na=ice-ufrag:");
  strcat(sdp, ufrag);
  strcat(sdp, "\r\n");
  size_t used = strlen(sdp);
  while (used + 10 < size && used + 90 < sizeof sdp) {
    size_t line = size - used < 80 ? size - used : 80;
    memcpy(sdp + used, "a=x-pad:", 8);
    memset(sdp + used + 8, 'p', line - 10);
    memcpy(sdp + used + line - 2, "\r\n", 2);
    used += line;
  }
  signal_of_device.sdp = sdp;
  signal_of_device.sdp_size = used;
}

static void print_stack(void);

/** `woken COMMAND` wakes the port during the command. */
static enum sp_result run_command(char *line) {
  const char *command = next_word(&line);
  if (strcmp(command, "woken") == 0) {
    is_woken = true;
    return run_command(line);
  }
  char *id = next_word(&line);
  if (strcmp(command, "receive") == 0) return sp_receive(&client, (uint32_t)atoi(id));
  if (strcmp(command, "until") == 0) return receive_until(id, line[0] == '\0' ? 1000 : (uint32_t)atoi(line));
  if (strcmp(command, "call") == 0) return sp_call(&client, id, next_word(&line), "data", &signal_of_device);
  if (strcmp(command, "ring") == 0) return sp_call(&client, id, next_word(&line), NULL, NULL);
  if (strcmp(command, "accept") == 0) return sp_accept(&client, id, &signal_of_device);
  if (strcmp(command, "candidates") == 0) return sp_send_candidates(&client, id, &signal_of_device);
  if (strcmp(command, "act") == 0) return sp_act(&client, id, next_word(&line));
  if (strcmp(command, "sdp") == 0) {
    make_sdp(id, (size_t)atoi(line));
    return SP_OK;
  }
  if (strcmp(command, "describe") == 0) {
    const char *kind = next_word(&line);
    return sp_describe(&client, id, kind, (uint32_t)atoi(line), &signal_of_device);
  }
  if (strcmp(command, "request") == 0) {
    const char *path = next_word(&line);
    return sp_request(&client, id, path, line[0] == '\0' ? NULL : line);
  }
  if (strcmp(command, "stack") == 0) print_stack();
  if (strcmp(command, "stop") == 0) sp_stop(&client);
  if (strcmp(command, "restart") == 0) {
    struct sp_config config = client.config;
    sp_stop(&client);
    config.cursor = client.cursor;
    sp_start(&client, &config);
  }
  return SP_OK;
}

/** @return whether there is a line; it replaces the end of line by NUL */
static bool read_line(char *line, size_t size) {
  for (size_t used = 0; used < size && read(0, line + used, 1) == 1; used++) {
    if (line[used] != '\n') continue;
    line[used] = '\0';
    return true;
  }
  return false;
}

static void *run_commands(void *unused) {
  static char line[2048];
  make_sdp("F7gI", 0);
  while (read_line(line, sizeof line)) print_result(run_command(line));
  sp_stop(&client);
  return unused;
}

/* ── The stack ── */

static unsigned char stack[STACK_SIZE] __attribute__((aligned(64)));

/**
 * The bytes of the stack that were ever written. Those of the C library (name resolution, threads) are among
 * them.
 */
static void print_stack(void) {
  size_t unused = 0;
  while (unused < sizeof stack && stack[unused] == STACK_PAINT) unused++;
  print("{\"stack\":");
  print_number((uint32_t)(sizeof stack - unused));
  print(",\"client\":");
  print_number((uint32_t)sizeof client);
  print("}\n");
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
#ifdef WITH_TLS
  static struct sp_mbedtls requests, stream;
  const char *authorities = getenv("AUTHORITIES");
  if (authorities == NULL || !sp_mbedtls_start(&requests, argv[1], argv[2], authorities)) return 4;
  if (!sp_mbedtls_start(&stream, argv[1], argv[2], authorities)) return 4;
#else
  static struct sp_sockets requests, stream;
  requests = stream = (struct sp_sockets){.host = argv[1], .port = argv[2]};
#endif
  const struct sp_config config = {.port = &port,
                                   .requests = &requests,
                                   .stream = strcmp(argv[3], "stream") == 0 ? &stream : NULL,
                                   .host = argv[1],
                                   .device = getenv("DEVICE"),
                                   .cursor = getenv("CURSOR"),
                                   .token = token,
                                   .on_value = on_value,
                                   .on_end = on_end,
                                   .seed = 1};
#ifdef WITH_TLS
  port = sp_mbedtls_port;
#else
  port = sp_sockets_port;
#endif
  receive_below = port.receive;
  port.receive = receive;
  sp_start(&client, &config);

  pthread_attr_t attributes;
  pthread_t thread;
  memset(stack, STACK_PAINT, sizeof stack);
  pthread_attr_init(&attributes);
  if (pthread_attr_setstack(&attributes, stack, sizeof stack) != 0) return 5;
  if (pthread_create(&thread, &attributes, run_commands, NULL) != 0) return 5;
  pthread_join(thread, NULL);
#ifdef WITH_TLS
  sp_mbedtls_stop(&requests);
  sp_mbedtls_stop(&stream);
#endif
  return 0;
}
