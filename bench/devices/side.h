/* What the two programs in C have in common: the clock, the lines for the benchmark, and a set of types of messages. */
#ifndef SIDE_H
#define SIDE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct timespec started;

static void start_clock(void) { clock_gettime(CLOCK_MONOTONIC, &started); }

static void print_ready(void) {
  if (write(1, "ready\n", 6) != 6) exit(3);
}

/** The caller has the answer and the candidates. */
static void print_answered(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  const long micros = (now.tv_sec - started.tv_sec) * 1000000L + (now.tv_nsec - started.tv_nsec) / 1000;
  char line[32];
  const int size = snprintf(line, sizeof line, "answered %ld\n", micros);
  if (write(1, line, (size_t)size) != size) exit(3);
}

/** The call is over. The benchmark reads the memory of the process before it closes stdin. */
static void await_end(void) {
  char byte;
  if (write(1, "over\n", 5) != 5) exit(3);
  if (read(0, &byte, 1) > 0) exit(3);
}

static void fail(const char *reason) {
  fprintf(stderr, "%s\n", reason);
  exit(1);
}

static unsigned bit_of(const char *type) {
  static const char *const types[] = {"snapshot",      "call.incoming",     "call.accepted", "signal.offer",
                                      "signal.answer", "signal.candidates", "call.ended"};
  for (unsigned i = 0; i < sizeof types / sizeof types[0]; i++)
    if (strcmp(types[i], type) == 0) return 1u << i;
  return 0;
}

#endif
