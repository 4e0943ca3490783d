#include "sp_sse.h"

#include <string.h>

enum state {
  NAME,  /* of a field, from the start of a line on */
  SPACE, /* one space after the colon is no part of the value */
  VALUE
};

enum field { UNKNOWN, DATA, ID, RETRY };

enum { RETRY_MAX_MS = 3600000 };

static const uint8_t BOM[] = {0xEF, 0xBB, 0xBF};

static void pass_on(struct sp_sse *sse, enum sp_sse_step step, const char *data, size_t size) {
  sse->on_step(sse->context, step, data, size);
}

static bool is_named(const struct sp_sse *sse, const char *name) {
  return sse->name_size == strlen(name) && memcmp(sse->name, name, sse->name_size) == 0;
}

static void begin_value(struct sp_sse *sse) {
  sse->field = UNKNOWN;
  if (is_named(sse, "data")) {
    sse->field = DATA;
    if (sse->has_data) pass_on(sse, SP_SSE_DATA, "\n", 1);
    sse->has_data = true;
  } else if (is_named(sse, "id")) {
    sse->field = ID;
    sse->id_size = 0;
  } else if (is_named(sse, "retry")) {
    sse->field = RETRY;
    sse->number = 0;
  }
}

/** A character that is no digit makes the field void; so does a time above one hour. */
static void read_retry(struct sp_sse *sse, char c) {
  if (c >= '0' && c <= '9') sse->number = sse->number * 10 + (uint32_t)(c - '0');
  if (c < '0' || c > '9' || sse->number > RETRY_MAX_MS) sse->field = UNKNOWN;
}

/** An id that does not fit is no cursor of this server. */
static void read_id(struct sp_sse *sse, char c) {
  if (sse->id_size < SP_CURSOR_SIZE - 1 && c != '\0') {
    sse->id[sse->id_size++] = c;
  } else {
    sse->id_size = 0;
    sse->field = UNKNOWN;
  }
}

static void end_event(struct sp_sse *sse) {
  sse->id[sse->id_size] = '\0';
  if (sse->has_data) pass_on(sse, SP_SSE_END, NULL, 0);
  sse->has_data = false;
  sse->id_size = 0;
}

static void end_line(struct sp_sse *sse) {
  const bool is_empty = sse->state == NAME && sse->name_size == 0;
  const bool is_name_alone = sse->state == NAME && !is_empty;
  if (is_empty) end_event(sse);
  if (is_name_alone) begin_value(sse);
  if (sse->field == RETRY && sse->number > 0) sse->retry_ms = sse->number;
  sse->field = UNKNOWN;
  sse->state = NAME;
  sse->name_size = 0;
}

/** A name that is too long is cut to the size of the buffer, and no known name has that size. */
static void read_name(struct sp_sse *sse, char c) {
  if (c == ':') {
    begin_value(sse);
    sse->state = SPACE;
  } else if (sse->name_size < sizeof sse->name) {
    sse->name[sse->name_size++] = c;
  }
}

static bool is_line_end(char c) {
  return c == '\n' || c == '\r';
}

/** Passes on the data up to a line end. @return the number of its bytes. */
static size_t read_data(struct sp_sse *sse, const char *data, size_t size) {
  size_t end = 0;
  while (end < size && !is_line_end(data[end])) end++;
  pass_on(sse, SP_SSE_DATA, data, end);
  return end;
}

static void read_char(struct sp_sse *sse, char c) {
  if (sse->state == SPACE) {
    sse->state = VALUE;
    if (c == ' ') return;
  }
  if (sse->state == NAME) {
    read_name(sse, c);
  } else if (sse->field == ID) {
    read_id(sse, c);
  } else if (sse->field == RETRY) {
    read_retry(sse, c);
  }
}

/** @return whether the byte belongs to a byte order mark at the start of the stream */
static bool skip_bom(struct sp_sse *sse, char c) {
  if (sse->bom_size < sizeof BOM && (uint8_t)c == BOM[sse->bom_size]) {
    sse->bom_size++;
    return true;
  }
  sse->bom_size = sizeof BOM + 1;
  return false;
}

void sp_sse_start(struct sp_sse *sse, sp_sse_on_step on_step, void *context) {
  memset(sse, 0, sizeof *sse);
  sse->on_step = on_step;
  sse->context = context;
}

void sp_sse_feed(struct sp_sse *sse, const char *data, size_t size) {
  for (size_t i = 0; i < size; i++) {
    const char c = data[i];
    if (sse->bom_size <= sizeof BOM && skip_bom(sse, c)) continue;
    const bool ends_cr_lf = c == '\n' && sse->skips_newline;
    sse->skips_newline = c == '\r';
    if (ends_cr_lf) continue;
    if (is_line_end(c)) {
      end_line(sse);
    } else if (sse->field == DATA && (sse->state == VALUE || c != ' ')) {
      sse->state = VALUE;
      i += read_data(sse, data + i, size - i) - 1;
    } else {
      read_char(sse, c);
    }
  }
}
