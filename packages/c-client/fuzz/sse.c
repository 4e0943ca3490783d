#include "sp_sse.h"
#include "split.h"

#include <string.h>

struct reading {
  struct digest digest;
  struct sp_sse sse;
};

static void on_step(void *context, enum sp_sse_step step, const char *data, size_t size) {
  struct reading *reading = context;
  add(&reading->digest, data, size);
  if (step != SP_SSE_END) return;
  require(strlen(reading->sse.id) < SP_CURSOR_SIZE, "an id ends");
  add(&reading->digest, reading->sse.id, strlen(reading->sse.id) + 1);
  add_number(&reading->digest, reading->sse.retry_ms);
}

static uint64_t read_stream(const uint8_t *data, size_t size, uint32_t *state) {
  struct reading reading = {0};
  sp_sse_start(&reading.sse, on_step, &reading);
  while (size > 0) {
    const size_t piece = state == NULL ? size : next_piece(state, size);
    char *copy = malloc(piece);
    memcpy(copy, data, piece);
    sp_sse_feed(&reading.sse, copy, piece);
    free(copy);
    data += piece;
    size -= piece;
  }
  return reading.digest.hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint32_t state = (uint32_t)size;
  const uint64_t whole = read_stream(data, size, NULL);
  require(whole == read_stream(data, size, &state), "pieces make no difference");
  return 0;
}
