/** What the files of the client share. */
#ifndef SP_INTERNAL_H
#define SP_INTERNAL_H

#include "signalpost.h"

/* ── writer.c: what is sent ── */

enum { SP_SEND_SIZE = 512 };

/**
 * Collects what is sent, so that a request without a long body goes out in one segment. Counting, it sends
 * nothing.
 */
struct sp_writer {
  struct sp_link *link;
  bool is_counting;
  bool is_broken;
  size_t counted;
  size_t size;
  char buffer[SP_SEND_SIZE];
};

void sp_write(struct sp_writer *writer, const char *data, size_t size);
void sp_write_text(struct sp_writer *writer, const char *text);
void sp_write_number(struct sp_writer *writer, uint32_t number);
/** Percent-encoded (RFC 3986, section 2.1). */
void sp_write_encoded(struct sp_writer *writer, const char *text);
/** In quotes, with escapes (RFC 8259, section 7). */
void sp_write_json(struct sp_writer *writer, const char *text, size_t size);
/** Sends what is left. @return false: the connection is lost. */
bool sp_flush(struct sp_writer *writer);

/* ── document.c: what is read ── */

enum sp_shape {
  SP_SHAPE_NONE,     /* a body that is not read, such as the HTML page of a proxy */
  SP_SHAPE_STREAM,   /* Server-Sent Events */
  SP_SHAPE_POLL,     /* the reply to a poll */
  SP_SHAPE_SNAPSHOT, /* the reply with the snapshot */
  SP_SHAPE_REPLY,    /* any other reply */
  SP_SHAPE_PROBLEM
};

void sp_begin_document(struct sp_link *link, enum sp_shape shape);
void sp_feed_document(struct sp_link *link, struct sp_bytes bytes);
/**
 * Nothing more will come: an event that has begun is not whole. @return whether what came is all, as far as
 * the text can tell
 */
bool sp_end_document(struct sp_link *link);

/* ── exchange.c: one request and its reply ── */

struct sp_exchange {
  const char *method;
  /** The path is `path`, `id` percent-encoded, `rest` and `number`. */
  const char *path;
  const char *id;   /* NULL: none */
  const char *rest; /* NULL: none */
  bool has_number;
  uint32_t number;
  const char *content_type; /* NULL: no body */
  void (*write_body)(struct sp_writer *writer, const void *body);
  const void *body;
  bool is_anonymous;   /* sent without a token: the device has none yet */
  enum sp_shape shape; /* of the reply if it succeeds */
  uint32_t timeout_ms; /* for the first byte of the reply */
};

enum sp_progress {
  SP_GOES_ON,
  SP_COMPLETE,
  SP_LOST,        /* the connection was lost before the reply was complete */
  SP_SILENT,      /* no reply in time */
  SP_UNREACHABLE, /* no connection */
  SP_TOKENLESS,   /* no token */
  SP_INTERRUPTED  /* the port was woken */
};

/**
 * @return SP_GOES_ON: an event stream has begun. Otherwise the link is closed, unless it can take another
 * request.
 */
enum sp_progress sp_exchange(struct sp_link *link, const struct sp_exchange *exchange);
/** Waits for bytes of a reply and reads them. SP_SILENT and SP_INTERRUPTED leave the link open. */
enum sp_progress sp_read(struct sp_link *link, uint32_t timeout_ms);
void sp_close(struct sp_link *link);

/* ── signalpost.c ── */

/** Sends a request on the link for requests, with another token if the server asks for one. */
enum sp_result sp_perform(struct sp_client *client, const struct sp_exchange *exchange);

#endif
