#include "sp_json.h"
#include "split.h"

#include <string.h>

static void on_value(void *context, const struct sp_json_value *value) {
  struct digest *digest = context;
  require(strlen(value->path) < SP_JSON_PATH_SIZE, "a path ends");
  require(value->size <= SP_JSON_TEXT_SIZE && value->text[value->size] == '\0', "a text ends");
  require(value->is_last || value->size > SP_JSON_WHOLE_MAX - 4, "a piece that is not the last one is long");
  add_number(digest, (uint64_t)value->kind << 2 | (uint64_t)value->is_first << 1 | value->is_last);
  add(digest, value->path, strlen(value->path) + 1);
  add(digest, value->text, value->size);
}

static uint64_t read_text(const uint8_t *data, size_t size, uint32_t *state) {
  struct digest digest = {0};
  struct sp_json json;
  sp_json_start(&json, on_value, &digest);
  while (size > 0) {
    const size_t piece = state == NULL ? size : next_piece(state, size);
    /* A copy: reading past its end is found. */
    char *copy = malloc(piece);
    memcpy(copy, data, piece);
    sp_json_feed(&json, copy, piece);
    free(copy);
    data += piece;
    size -= piece;
  }
  add_number(&digest, sp_json_is_complete(&json));
  return digest.hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint32_t state = (uint32_t)size;
  const uint64_t whole = read_text(data, size, NULL);
  require(whole == read_text(data, size, &state), "pieces make no difference");
  return 0;
}
