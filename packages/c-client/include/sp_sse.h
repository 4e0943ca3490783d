/**
 * An incremental reader of Server-Sent Events (HTML standard, section 9.2.6). The data of an event is passed
 * on in pieces as it arrives; its id and its end follow.
 */
#ifndef SP_SSE_H
#define SP_SSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  /** Bytes of a cursor with its NUL: at most 15 digits, a dot and a tag of 16 characters. */
  SP_CURSOR_SIZE = 33
};

enum sp_sse_step {
  SP_SSE_DATA, /**< A piece of the data. */
  SP_SSE_END   /**< The event is complete. Not passed on for an event without data. */
};

/** @param data of SP_SSE_DATA, valid during the callback only */
typedef void (*sp_sse_on_step)(void *context, enum sp_sse_step step, const char *data, size_t size);

struct sp_sse {
  sp_sse_on_step on_step;
  void *context;
  /** `retry:`, in milliseconds; 0: none was sent. It stays the same for later events. */
  uint32_t retry_ms;
  uint8_t state;
  uint8_t field; /**< The field of the line. */
  uint8_t name_size;
  uint8_t id_size;
  uint8_t bom_size; /**< Bytes of a byte order mark that have come; more than 3: the stream has begun. */
  bool skips_newline;
  bool has_data; /**< The event has a data line. */
  uint32_t number;
  char name[8];
  /** The id of the event that ends. Empty: it has none, or one that is no cursor. */
  char id[SP_CURSOR_SIZE];
};

/** Begins a new stream. The callback must not call this reader. */
void sp_sse_start(struct sp_sse *sse, sp_sse_on_step on_step, void *context);

/** Takes the next bytes of the stream. */
void sp_sse_feed(struct sp_sse *sse, const char *data, size_t size);

#ifdef __cplusplus
}
#endif

#endif
