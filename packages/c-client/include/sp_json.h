/**
 * An incremental reader of JSON (RFC 8259). It takes the text in pieces of any size and keeps no more than
 * the value it is in.
 *
 * A value is passed on with its path, such as `data.offer.sdp` or `data.candidates[].candidate`. How the text
 * was cut into pieces on its way makes no difference to what is passed on.
 */
#ifndef SP_JSON_H
#define SP_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  /** Levels of arrays and objects. Replies and events have up to 16 levels in `metadata`, and 6 around it. */
  SP_JSON_DEPTH_MAX = 32,
  /** Bytes of a path with its NUL. What does not fit is left out. */
  SP_JSON_PATH_SIZE = 96,
  /** A string of up to this many bytes, such as every id, is passed on in one piece. */
  SP_JSON_WHOLE_MAX = 256,
  /** Room for one more code point, so that no piece ends within one. */
  SP_JSON_TEXT_SIZE = SP_JSON_WHOLE_MAX + 4
};

enum sp_kind {
  SP_STRING,
  SP_NUMBER,       /**< As it stands in the text, at most SP_JSON_WHOLE_MAX bytes. */
  SP_LITERAL,      /**< `true`, `false` or `null`. */
  SP_OBJECT_BEGIN, /**< The path is that of the object. */
  SP_OBJECT_END,
  SP_ARRAY_BEGIN, /**< The path ends with `[]`, as do those of its elements. */
  SP_ARRAY_END
};

/** A value, or a piece of a long string. Valid during the callback only. */
struct sp_json_value {
  enum sp_kind kind;
  const char *path; /**< Ends with NUL. Empty for the outermost value. */
  const char
      *text; /**< Decoded UTF-8, which ends with NUL and may contain others. Empty for arrays and objects. */
  size_t size;   /**< Bytes of `text`. */
  bool is_first; /**< The value begins with this piece. */
  bool is_last;  /**< The value ends with this piece. Both: it is whole. */
};

typedef void (*sp_json_on_value)(void *context, const struct sp_json_value *value);

struct sp_json {
  sp_json_on_value on_value;
  void *context;
  uint8_t state;
  uint8_t depth;
  uint8_t hex_digits; /**< Digits of a `\u` escape that are still to come. */
  bool is_key;        /**< The string being read is the name of a member. */
  bool is_continued;  /**< A piece of the string was passed on before. */
  uint8_t path_size;
  uint8_t path_sizes[SP_JSON_DEPTH_MAX]; /**< The size of the path outside each level. */
  uint32_t arrays;                       /**< Bit n: level n is an array. */
  uint16_t text_size;
  uint16_t code_unit;      /**< Of the `\u` escape being read. */
  uint16_t high_surrogate; /**< Of the escape before; 0: none. */
  char path[SP_JSON_PATH_SIZE];
  char text[SP_JSON_TEXT_SIZE + 1];
};

/** Begins a new text. The callback must not call this reader. */
void sp_json_start(struct sp_json *json, sp_json_on_value on_value, void *context);

/**
 * Takes the next bytes of the text.
 * @return false: they are not JSON, or nested too deep; all further bytes are refused, too.
 */
bool sp_json_feed(struct sp_json *json, const char *data, size_t size);

/** Whether the text was read to the end of its outermost value. */
bool sp_json_is_complete(const struct sp_json *json);

#ifdef __cplusplus
}
#endif

#endif
