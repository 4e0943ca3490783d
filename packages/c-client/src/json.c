#include "sp_json.h"

#include <string.h>

enum state {
  VALUE,          /* a value is expected */
  VALUE_OR_END,   /* after `[` */
  KEY,            /* after `,` in an object */
  KEY_OR_END,     /* after `{` */
  COLON,          /* after the name of a member */
  COMMA_OR_END,   /* after a value in an array or object */
  STRING,         /* within a string */
  ESCAPE,         /* after `\` */
  UNICODE_ESCAPE, /* within the digits of `\u` */
  NUMBER,
  LITERAL,
  COMPLETE, /* only white space may follow */
  FAILED
};

enum { REPLACEMENT = 0xFFFD };

static bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool is_in_array(const struct sp_json *json) {
  return (json->arrays >> (json->depth - 1) & 1) != 0;
}

static void pass_on(struct sp_json *json, enum sp_kind kind, bool is_last) {
  json->path[json->path_size] = '\0';
  json->text[json->text_size] = '\0';
  const struct sp_json_value value = {.kind = kind,
                                      .path = json->path,
                                      .text = json->text,
                                      .size = json->text_size,
                                      .is_first = !json->is_continued,
                                      .is_last = is_last};
  json->on_value(json->context, &value);
  json->text_size = 0;
  json->is_continued = !is_last;
}

/* ── Paths ── */

static void append_to_path(struct sp_json *json, char c) {
  if (json->path_size < SP_JSON_PATH_SIZE - 1) json->path[json->path_size++] = c;
}

/** The path outside the member that has ended or begins: that of its object or array. */
static void reset_path(struct sp_json *json) {
  json->path_size = json->depth == 0 ? 0 : json->path_sizes[json->depth - 1];
}

static enum state enter(struct sp_json *json, bool is_array) {
  if (json->depth == SP_JSON_DEPTH_MAX) return FAILED;
  if (is_array) {
    append_to_path(json, '[');
    append_to_path(json, ']');
  }
  json->path_sizes[json->depth] = json->path_size;
  const uint32_t bit = (uint32_t)1 << json->depth;
  json->arrays = is_array ? json->arrays | bit : json->arrays & ~bit;
  json->depth++;
  pass_on(json, is_array ? SP_ARRAY_BEGIN : SP_OBJECT_BEGIN, true);
  return is_array ? VALUE_OR_END : KEY_OR_END;
}

static enum state end_value(struct sp_json *json) {
  return json->depth == 0 ? COMPLETE : COMMA_OR_END;
}

static enum state leave(struct sp_json *json, bool is_array) {
  if (json->depth == 0 || is_in_array(json) != is_array) return FAILED;
  reset_path(json);
  pass_on(json, is_array ? SP_ARRAY_END : SP_OBJECT_END, true);
  json->depth--;
  return end_value(json);
}

/* ── Strings ── */

static void append_byte(struct sp_json *json, uint8_t byte) {
  if (json->is_key) {
    append_to_path(json, (char)byte);
    return;
  }
  const bool begins_code_point = (byte & 0xC0) != 0x80;
  if (begins_code_point && json->text_size + 4 > SP_JSON_TEXT_SIZE) pass_on(json, SP_STRING, false);
  /* Only bytes that continue no code point, which are not UTF-8, find the text full here. */
  if (json->text_size == SP_JSON_TEXT_SIZE) pass_on(json, SP_STRING, false);
  json->text[json->text_size++] = (char)byte;
}

static void append_code_point(struct sp_json *json, uint32_t code) {
  if (code < 0x80) {
    append_byte(json, (uint8_t)code);
    return;
  }
  if (code < 0x800) {
    append_byte(json, (uint8_t)(0xC0 | code >> 6));
  } else if (code < 0x10000) {
    append_byte(json, (uint8_t)(0xE0 | code >> 12));
    append_byte(json, (uint8_t)(0x80 | (code >> 6 & 0x3F)));
  } else {
    append_byte(json, (uint8_t)(0xF0 | code >> 18));
    append_byte(json, (uint8_t)(0x80 | (code >> 12 & 0x3F)));
    append_byte(json, (uint8_t)(0x80 | (code >> 6 & 0x3F)));
  }
  append_byte(json, (uint8_t)(0x80 | (code & 0x3F)));
}

/** A high surrogate that no low one follows (RFC 8259, section 8.2). */
static void replace_lone_surrogate(struct sp_json *json) {
  if (json->high_surrogate != 0) append_code_point(json, REPLACEMENT);
  json->high_surrogate = 0;
}

static void append_code_unit(struct sp_json *json, uint16_t unit) {
  const bool is_high = unit >= 0xD800 && unit < 0xDC00;
  const bool is_low = unit >= 0xDC00 && unit < 0xE000;
  if (is_low && json->high_surrogate != 0) {
    const uint32_t high = json->high_surrogate - 0xD800u;
    json->high_surrogate = 0;
    append_code_point(json, 0x10000 + (high << 10) + (unit - 0xDC00u));
    return;
  }
  replace_lone_surrogate(json);
  if (is_high) {
    json->high_surrogate = unit;
  } else {
    append_code_point(json, is_low ? (uint32_t)REPLACEMENT : unit);
  }
}

static enum state begin_string(struct sp_json *json, bool is_key) {
  json->is_key = is_key;
  if (is_key) {
    reset_path(json);
    if (json->path_size > 0) append_to_path(json, '.');
  }
  return STRING;
}

static enum state end_string(struct sp_json *json) {
  replace_lone_surrogate(json);
  if (json->is_key) return COLON;
  pass_on(json, SP_STRING, true);
  return end_value(json);
}

static enum state read_string(struct sp_json *json, char c) {
  if (c == '\\') return ESCAPE;
  if (c == '"') return end_string(json);
  if ((uint8_t)c < 0x20) return FAILED;
  replace_lone_surrogate(json);
  append_byte(json, (uint8_t)c);
  return STRING;
}

static enum state read_escape(struct sp_json *json, char c) {
  if (c == 'u') {
    json->hex_digits = 4;
    json->code_unit = 0;
    return UNICODE_ESCAPE;
  }
  static const char names[] = "\"\\/bfnrt";
  static const char values[] = "\"\\/\b\f\n\r\t";
  const char *name = c == '\0' ? NULL : strchr(names, c);
  if (name == NULL) return FAILED;
  replace_lone_surrogate(json);
  append_byte(json, (uint8_t)values[name - names]);
  return STRING;
}

static enum state read_hex_digit(struct sp_json *json, char c) {
  unsigned digit;
  if (c >= '0' && c <= '9') {
    digit = (unsigned)(c - '0');
  } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
    digit = (unsigned)((c | 0x20) - 'a') + 10;
  } else {
    return FAILED;
  }
  json->code_unit = (uint16_t)((unsigned)json->code_unit << 4 | digit);
  if (--json->hex_digits > 0) return UNICODE_ESCAPE;
  append_code_unit(json, json->code_unit);
  return STRING;
}

/* ── Numbers and literals ── */

static bool is_number_part(char c) {
  return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

static enum state begin_token(struct sp_json *json, char c, enum state state) {
  json->text[0] = c;
  json->text_size = 1;
  return state;
}

static enum state read_literal(struct sp_json *json, char c) {
  json->text[json->text_size++] = c;
  json->text[json->text_size] = '\0';
  const char *word = json->text[0] == 't' ? "true" : json->text[0] == 'f' ? "false" : "null";
  if (strncmp(json->text, word, json->text_size) != 0) return FAILED;
  if (word[json->text_size] != '\0') return LITERAL;
  pass_on(json, SP_LITERAL, true);
  return end_value(json);
}

static enum state begin_value(struct sp_json *json, char c) {
  switch (c) {
  case '{': return enter(json, false);
  case '[': return enter(json, true);
  case '"': return begin_string(json, false);
  case 't':
  case 'f':
  case 'n': return begin_token(json, c, LITERAL);
  default: return (c >= '0' && c <= '9') || c == '-' ? begin_token(json, c, NUMBER) : FAILED;
  }
}

/* ── Between values ── */

static enum state read_comma_or_end(struct sp_json *json, char c) {
  if (c == '}' || c == ']') return leave(json, c == ']');
  if (c != ',') return FAILED;
  reset_path(json);
  return is_in_array(json) ? VALUE : KEY;
}

static enum state read_number(struct sp_json *json, char c) {
  if (is_number_part(c)) {
    if (json->text_size == SP_JSON_WHOLE_MAX) return FAILED;
    json->text[json->text_size++] = c;
    return NUMBER;
  }
  pass_on(json, SP_NUMBER, true);
  const enum state state = end_value(json);
  if (is_space(c)) return state;
  return state == COMMA_OR_END ? read_comma_or_end(json, c) : FAILED;
}

static enum state read_token(struct sp_json *json, char c) {
  switch (json->state) {
  case STRING: return read_string(json, c);
  case ESCAPE: return read_escape(json, c);
  case UNICODE_ESCAPE: return read_hex_digit(json, c);
  case NUMBER: return read_number(json, c);
  default: return read_literal(json, c);
  }
}

static enum state read_between(struct sp_json *json, char c) {
  switch (json->state) {
  case VALUE: return begin_value(json, c);
  case VALUE_OR_END: return c == ']' ? leave(json, true) : begin_value(json, c);
  case KEY_OR_END:
    if (c == '}') return leave(json, false);
    return c == '"' ? begin_string(json, true) : FAILED;
  case KEY: return c == '"' ? begin_string(json, true) : FAILED;
  case COLON: return c == ':' ? VALUE : FAILED;
  case COMMA_OR_END: return read_comma_or_end(json, c);
  default: return FAILED;
  }
}

void sp_json_start(struct sp_json *json, sp_json_on_value on_value, void *context) {
  memset(json, 0, sizeof *json);
  json->on_value = on_value;
  json->context = context;
  json->state = VALUE;
}

bool sp_json_feed(struct sp_json *json, const char *data, size_t size) {
  for (size_t i = 0; i < size && json->state != FAILED; i++) {
    const bool is_in_token = json->state >= STRING && json->state <= LITERAL;
    if (is_in_token) {
      json->state = (uint8_t)read_token(json, data[i]);
    } else if (!is_space(data[i])) {
      json->state = (uint8_t)read_between(json, data[i]);
    }
  }
  return json->state != FAILED;
}

bool sp_json_is_complete(const struct sp_json *json) {
  return json->state == COMPLETE;
}
