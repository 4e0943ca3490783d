/**
 * What the fuzz targets of the readers share: a text is read whole and in pieces, and both must pass on the
 * same.
 */
#ifndef SPLIT_H
#define SPLIT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/** FNV-1a over everything that a reader passes on. */
struct digest {
  uint64_t hash;
};

static inline void add(struct digest *digest, const void *data, size_t size) {
  const unsigned char *bytes = data;
  for (size_t i = 0; i < size; i++) digest->hash = (digest->hash ^ bytes[i]) * 0x100000001B3u;
}

static inline void add_number(struct digest *digest, uint64_t number) {
  add(digest, &number, sizeof number);
}

/** The size of the next piece, 1 to 16 bytes, from a generator with a seed of the input. */
static inline size_t next_piece(uint32_t *state, size_t left) {
  *state = *state * 1664525u + 1013904223u;
  const size_t size = 1 + (*state >> 28);
  return size < left ? size : left;
}

static inline void require(int condition, const char *what) {
  if (condition) return;
  fprintf(stderr, "%s\n", what);
  abort();
}

#endif
