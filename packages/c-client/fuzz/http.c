#include "sp_http.h"
#include "split.h"

#include <string.h>

/** @return whether the reply goes on */
static int take(struct sp_http *http, struct sp_bytes in, struct digest *digest) {
  struct sp_bytes body;
  for (;;) {
    const char *end = in.data + in.size;
    const enum sp_http_step step = sp_http_next(http, &in, &body);
    require(in.data + in.size == end, "bytes are taken from the front");
    switch (step) {
    case SP_HTTP_MORE: require(in.size == 0, "all bytes are taken"); return 1;
    case SP_HTTP_HEAD:
      require(http->status >= 200 && http->status < 600, "the status is final");
      add_number(digest, http->status);
      add_number(digest, http->type);
      add_number(digest, http->retry_after_s);
      break;
    case SP_HTTP_BODY:
      require(body.size > 0 && body.data + body.size <= in.data, "the body is a part of the input");
      add(digest, body.data, body.size);
      break;
    default: add_number(digest, step); return 0;
    }
  }
}

static uint64_t read_reply(const uint8_t *data, size_t size, uint32_t *state) {
  struct digest digest = {0};
  struct sp_http http;
  sp_http_start(&http);
  for (int goes_on = 1; goes_on && size > 0;) {
    const size_t piece = state == NULL ? size : next_piece(state, size);
    char *copy = malloc(piece);
    memcpy(copy, data, piece);
    goes_on = take(&http, (struct sp_bytes){copy, piece}, &digest);
    free(copy);
    data += piece;
    size -= piece;
  }
  add_number(&digest, sp_http_end(&http));
  add_number(&digest, http.keeps_alive);
  return digest.hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint32_t state = (uint32_t)size;
  const uint64_t whole = read_reply(data, size, NULL);
  require(whole == read_reply(data, size, &state), "pieces make no difference");
  return 0;
}
