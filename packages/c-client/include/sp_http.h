/**
 * An incremental reader of HTTP/1.1 and HTTP/1.0 replies (RFC 9112). It takes the bytes in pieces of any
 * size, keeps a single line of the head, and passes the body on without copying it.
 */
#ifndef SP_HTTP_H
#define SP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  /** Bytes of a line of the head that are kept. Of a longer line the rest is ignored. */
  SP_HTTP_LINE_SIZE = 96,
  /** Bytes of head, or of trailers and the lines between chunks, until the reply is refused. */
  SP_HTTP_OVERHEAD_MAX = 16384
};

/** Bytes that another owns. */
struct sp_bytes {
  const char *data;
  size_t size;
};

enum sp_http_step {
  SP_HTTP_MORE,   /**< All bytes were taken, and the reply goes on. */
  SP_HTTP_HEAD,   /**< The head is complete: status and headers can be read. */
  SP_HTTP_BODY,   /**< A piece of the body. */
  SP_HTTP_DONE,   /**< The reply is complete. Bytes that are left do not belong to it. */
  SP_HTTP_INVALID /**< Not HTTP. Close the connection. */
};

enum sp_http_type { SP_HTTP_OTHER, SP_HTTP_JSON, SP_HTTP_PROBLEM, SP_HTTP_EVENT_STREAM };

struct sp_http {
  uint8_t state;
  bool is_chunked;
  bool has_length;
  bool is_length_invalid;
  bool is_line_cut; /**< The line is longer than its buffer. */
  /** The connection can take another request after this reply (RFC 9112, section 9.3). */
  bool keeps_alive;
  /** `Content-Type` of the body, without its parameters. */
  enum sp_http_type type;
  uint16_t status;
  /** `Retry-After` in seconds (RFC 9110, section 10.2.3); 0: none, or a date. */
  uint32_t retry_after_s;
  /** Bytes that are left of the body or chunk. */
  uint64_t left;
  /** Bytes of the head, then of trailers and lines between chunks since the last byte of the body. */
  uint16_t overhead;
  uint8_t line_size;
  char line[SP_HTTP_LINE_SIZE];
};

/** Expects a reply. */
void sp_http_start(struct sp_http *http);

/**
 * Takes bytes from the front of `in`, which becomes shorter, up to the next step. Call it until it returns
 * SP_HTTP_MORE or one of the last two steps. Interim replies (1xx) are skipped.
 * @param body set with SP_HTTP_BODY: bytes of `in`, without the framing of chunks
 */
enum sp_http_step sp_http_next(struct sp_http *http, struct sp_bytes *in, struct sp_bytes *body);

/**
 * The other side has closed the connection.
 * @return whether the reply is complete: it was, or its body ends with the connection, as is usual in
 * HTTP/1.0. In the latter case nothing tells a complete body from one that was cut.
 */
bool sp_http_end(const struct sp_http *http);

#ifdef __cplusplus
}
#endif

#endif
