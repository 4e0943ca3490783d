#include "sp_http.h"

#include <string.h>

enum state {
  STATUS_LINE,
  HEADER,
  BODY_BY_LENGTH,
  BODY_UNTIL_CLOSE,
  CHUNK_SIZE,
  CHUNK_DATA,
  CHUNK_END, /* the line end after the data of a chunk */
  TRAILER,
  DONE,
  INVALID
};

/** 2^48 bytes: a length above is refused before it overflows. */
static const uint64_t LENGTH_MAX = (uint64_t)1 << 48;

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

/* ── Header values ── */

/** Whether `text` begins with `word`, which is in lower case, and a delimiter follows. */
static bool begins_with_token(const char *text, const char *word) {
  const size_t size = strlen(word);
  for (size_t i = 0; i < size; i++)
    if (lower(text[i]) != word[i]) return false;
  return text[size] == '\0' || text[size] == ';' || text[size] == ',' || is_blank(text[size]);
}

/** Whether the list (RFC 9110, section 5.6.1) has `word`, which is in lower case. */
static bool lists(const char *list, const char *word) {
  for (;;) {
    while (is_blank(*list) || *list == ',') list++;
    if (*list == '\0') return false;
    if (begins_with_token(list, word)) return true;
    while (*list != '\0' && *list != ',') list++;
  }
}

/** Digits alone. @return false: the text has something else. */
static bool read_number(const char *text, uint64_t *number) {
  *number = 0;
  if (!is_digit(*text)) return false;
  for (; is_digit(*text); text++) {
    *number = *number * 10 + (uint64_t)(*text - '0');
    if (*number > LENGTH_MAX) return false;
  }
  while (is_blank(*text)) text++;
  return *text == '\0';
}

/** A second length must be the first one again (RFC 9112, section 6.3). */
static void take_length(struct sp_http *http, const char *value) {
  uint64_t length = 0;
  const bool is_number = read_number(value, &length);
  if (!is_number || (http->has_length && http->left != length)) http->is_length_invalid = true;
  http->has_length = true;
  http->left = length;
}

static void take_retry_after(struct sp_http *http, const char *value) {
  uint64_t seconds = 0;
  if (!read_number(value, &seconds)) return;
  http->retry_after_s = seconds > UINT32_MAX / 1000 ? UINT32_MAX / 1000 : (uint32_t)seconds;
}

static enum sp_http_type type_of(const char *value) {
  if (begins_with_token(value, "application/json")) return SP_HTTP_JSON;
  if (begins_with_token(value, "application/problem+json")) return SP_HTTP_PROBLEM;
  return begins_with_token(value, "text/event-stream") ? SP_HTTP_EVENT_STREAM : SP_HTTP_OTHER;
}

static void take_connection(struct sp_http *http, const char *value) {
  if (lists(value, "close")) {
    http->keeps_alive = false;
  } else if (lists(value, "keep-alive")) {
    http->keeps_alive = true;
  }
}

/**
 * The value of the header in the line, if `name`, which is in lower case and ends with a colon, is its name.
 * Otherwise NULL.
 */
static const char *value_of(const char *line, const char *name) {
  for (; *name != '\0'; name++, line++)
    if (lower(*line) != *name) return NULL;
  while (is_blank(*line)) line++;
  return line;
}

static void take_header(struct sp_http *http) {
  const char *value;
  if ((value = value_of(http->line, "content-length:")) != NULL) {
    take_length(http, value);
  } else if ((value = value_of(http->line, "transfer-encoding:")) != NULL) {
    if (lists(value, "chunked")) http->is_chunked = true;
  } else if ((value = value_of(http->line, "content-type:")) != NULL) {
    http->type = type_of(value);
  } else if ((value = value_of(http->line, "connection:")) != NULL) {
    take_connection(http, value);
  } else if ((value = value_of(http->line, "retry-after:")) != NULL) {
    take_retry_after(http, value);
  }
}

/* ── Lines ── */

/** `HTTP/1.1 200 OK`: RFC 9112, section 4. */
static enum state take_status_line(struct sp_http *http) {
  const char *line = http->line;
  if (strncmp(line, "HTTP/1.", 7) != 0 || !is_digit(line[7]) || line[8] != ' ') return INVALID;
  if (line[9] < '1' || line[9] > '5' || !is_digit(line[10]) || !is_digit(line[11]) || is_digit(line[12]))
    return INVALID;
  http->keeps_alive = line[7] != '0';
  http->status = (uint16_t)((line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0'));
  return HEADER;
}

/** How the body ends: RFC 9112, section 6.3. */
static enum state begin_body(struct sp_http *http) {
  if (http->status == 204 || http->status == 304) return DONE;
  if (http->is_chunked) {
    /* With both, a proxy on the way may see another end of the reply. */
    if (http->has_length) http->keeps_alive = false;
    return CHUNK_SIZE;
  }
  if (http->is_length_invalid) return INVALID;
  if (http->has_length) return http->left == 0 ? DONE : BODY_BY_LENGTH;
  http->keeps_alive = false;
  return BODY_UNTIL_CLOSE;
}

static enum state end_head(struct sp_http *http) {
  if (http->status >= 200) return begin_body(http);
  if (http->status == 101) return INVALID;
  const uint16_t overhead = http->overhead;
  sp_http_start(http);
  http->overhead = overhead;
  return STATUS_LINE;
}

/** Hexadecimal digits, then perhaps extensions, which are ignored: RFC 9112, section 7.1. */
static enum state take_chunk_size(struct sp_http *http) {
  const char *digit = http->line;
  http->left = 0;
  for (;; digit++) {
    const char c = lower(*digit);
    if (is_digit(c)) {
      http->left = http->left << 4 | (uint64_t)(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      http->left = http->left << 4 | (uint64_t)(c - 'a' + 10);
    } else {
      break;
    }
    if (http->left > LENGTH_MAX) return INVALID;
  }
  const bool has_digits = digit > http->line;
  if (!has_digits || (*digit != '\0' && *digit != ';' && !is_blank(*digit))) return INVALID;
  return http->left == 0 ? TRAILER : CHUNK_DATA;
}

static enum state take_line(struct sp_http *http) {
  const bool is_empty = http->line_size == 0;
  switch (http->state) {
  case STATUS_LINE: return take_status_line(http);
  case HEADER:
    if (is_empty) return end_head(http);
    take_header(http);
    return HEADER;
  case CHUNK_SIZE: return take_chunk_size(http);
  case CHUNK_END: return is_empty ? CHUNK_SIZE : INVALID;
  default: return is_empty ? DONE : TRAILER;
  }
}

/** Takes bytes up to a line end. @return whether the line is complete. */
static bool collect_line(struct sp_http *http, struct sp_bytes *in) {
  while (in->size > 0) {
    const char c = *in->data++;
    in->size--;
    if (++http->overhead > SP_HTTP_OVERHEAD_MAX) {
      http->state = INVALID;
      return true;
    }
    if (c == '\n') {
      const bool ends_with_cr =
          !http->is_line_cut && http->line_size > 0 && http->line[http->line_size - 1] == '\r';
      if (ends_with_cr) http->line_size--;
      http->line[http->line_size] = '\0';
      return true;
    }
    if (http->line_size < SP_HTTP_LINE_SIZE - 1) {
      http->line[http->line_size++] = c;
    } else {
      http->is_line_cut = true;
    }
  }
  return false;
}

static bool is_in_data(const struct sp_http *http) {
  return http->state == BODY_BY_LENGTH || http->state == BODY_UNTIL_CLOSE || http->state == CHUNK_DATA;
}

static enum sp_http_step take_data(struct sp_http *http, struct sp_bytes *in, struct sp_bytes *body) {
  *body = *in;
  http->overhead = 0;
  if (http->state != BODY_UNTIL_CLOSE) {
    if (body->size > http->left) body->size = (size_t)http->left;
    http->left -= body->size;
    if (http->left == 0) http->state = http->state == CHUNK_DATA ? CHUNK_END : DONE;
  }
  in->data += body->size;
  in->size -= body->size;
  return SP_HTTP_BODY;
}

void sp_http_start(struct sp_http *http) {
  memset(http, 0, sizeof *http);
}

enum sp_http_step sp_http_next(struct sp_http *http, struct sp_bytes *in, struct sp_bytes *body) {
  for (;;) {
    if (http->state == DONE) return SP_HTTP_DONE;
    if (http->state == INVALID) return SP_HTTP_INVALID;
    if (in->size == 0) return SP_HTTP_MORE;
    if (is_in_data(http)) return take_data(http, in, body);
    if (!collect_line(http, in)) return SP_HTTP_MORE;
    if (http->state == INVALID) return SP_HTTP_INVALID;
    const bool was_header = http->state == HEADER;
    http->state = (uint8_t)take_line(http);
    http->line_size = 0;
    http->is_line_cut = false;
    const bool ends_head = was_header && http->state != HEADER && http->state != STATUS_LINE;
    if (ends_head && http->state != INVALID) return SP_HTTP_HEAD;
  }
}

bool sp_http_end(const struct sp_http *http) {
  return http->state == DONE || http->state == BODY_UNTIL_CLOSE;
}
