/**
 * A client of Signalpost for devices with little memory. C99, no heap, no clock, no thread, no global
 * variable.
 *
 *     sp_start(&client, &config);
 *     for (;;) {
 *       switch (sp_receive(&client, 4000)) {
 *       case SP_OK: ...      // on_value and on_end have recorded what happened: act, with sp_accept() and so on
 *       case SP_IDLE: ...    // nothing happened
 *       case SP_RETRY: ...   // client.problem says why: wait client.wait_ms, then go on
 *       case SP_REFUSED: ... // client.problem says why: without a change, for good
 *       }
 *     }
 *
 * All functions block, at most for the time that they name, and are called from one thread. Texts that are
 * passed in end with NUL and stay the caller's; those in `sp_config` must stay valid as long as the client is
 * used.
 */
#ifndef SIGNALPOST_H
#define SIGNALPOST_H

#include "sp_http.h"
#include "sp_json.h"
#include "sp_sse.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
  /** Bytes of an event's type with its NUL. A type that is longer is passed on as an empty one. */
  SP_TYPE_SIZE = 32,
  /** Bytes of a problem's code, or of the reason of a stream's end, with its NUL. */
  SP_CODE_SIZE = 40,
  /** What `receive` of a port may return. */
  SP_WOKEN = -2
};

/* ── The port: four functions ── */

/**
 * The network below. `network` is a context of the port for one connection: address, socket, TLS session. A
 * port blocks, and keeps to the timeouts. It may be called again after every failure, beginning with connect.
 * Client and port share no socket: any that can do this will do, blocking or not.
 */
struct sp_port {
  /** Opens the connection, with TLS if the port has it. @return false: it could not be opened. */
  bool (*connect)(void *network, uint32_t timeout_ms);
  /** Sends all bytes. @return false: the connection is lost. */
  bool (*send)(void *network, const void *data, size_t size, uint32_t timeout_ms);
  /**
   * Waits for the first bytes, and returns at once when there are some. @return their number; 0: none came in
   * the whole time, which the client counts as silence of the server: never return it earlier; -1: the
   * connection is closed or lost; SP_WOKEN: the device has something to do, such as a button that was pressed.
   * sp_receive() then returns SP_IDLE, and gives up a poll that waits. Return it once for each time: a request
   * that waits for its reply goes on waiting.
   */
  int (*receive)(void *network, void *buffer, size_t size, uint32_t timeout_ms);
  /** Closes the connection. Called once after each connect that returned true. */
  void (*close)(void *network);
};

/* ── Configuration ── */

struct sp_config {
  const struct sp_port *port;
  /** The network of requests, and of long-polls. */
  void *requests;
  /**
   * The network of the event stream. NULL: no stream. The client then polls on the other network, and needs
   * one connection.
   */
  void *stream;
  /** The header `Host`: the name of the server, and `:port` unless that is 80, or 443 with TLS. */
  const char *host;
  /**
   * Your device id, at most 255 bytes, unique for each device of a user: of two devices with one id, the
   * older one is refused as `superseded`. NULL: the token names the device.
   */
  const char *device;
  /**
   * The cursor that you stored before a restart, to receive what was missed. It is copied, and may be
   * `client.cursor` itself. NULL or empty: begin with a snapshot.
   */
  const char *cursor;
  /**
   * Returns the token, without `Bearer`. It has to stay valid until the next call of this function, which is
   * called for each request. NULL: there is none at the moment, and the function returns SP_RETRY.
   * @param renew the token has expired, expires soon or was refused: return a new one
   */
  const char *(*token)(void *context, bool renew);
  /**
   * Receives the values of an event, reply or problem, in order. Must not call the client: record what you
   * need, and act after the function that you called has returned.
   * @param type the type of the event, such as `call.incoming`, or `snapshot`, `reply` or `problem`
   * @param value its path is that in the documentation: `data.callId` of an event, `call.callId` of a reply
   */
  void (*on_value)(void *context, const char *type, const struct sp_json_value *value);
  /**
   * An event, reply or problem has ended. @param is_whole false: the connection broke or the text is not
   * JSON. Forget its values; an event comes again from its first value.
   */
  void (*on_end)(void *context, const char *type, bool is_whole);
  /** Passed to the three functions above. */
  void *context;
  /**
   * How long to wait for the connection, for each send, and for each piece of a reply, in milliseconds. 0:
   * 10,000.
   */
  uint32_t timeout_ms;
  /**
   * A number that differs between devices, such as a serial number, so that they do not all reconnect at the
   * same time.
   */
  uint32_t seed;
};

/* ── The client ── */

enum sp_result {
  SP_OK,     /**< Done. sp_receive: at least one event, or a snapshot, was passed on whole. */
  SP_IDLE,   /**< sp_receive: none in this time, or only a part of one. */
  SP_RETRY,  /**< Not done, see `problem`. Call it again after `wait_ms`: no repeat does harm. */
  SP_REFUSED /**< See `problem`. Repeat it only after a change. sp_receive: not before another sp_start(). */
};

/** Why a request was not done, or why the stream has ended. */
struct sp_problem {
  /** The HTTP status; 0: the end of a stream, or no reply. */
  uint16_t status;
  /**
   * `code` of the problem (docs/reference/problems.md) or `reason` of the end of a stream
   * (docs/reference/events.md#end). Empty: the reply came from a proxy. Of the client itself, with the status
   * 0: `no_connection` (host, port, network, certificate), `connection_lost`, `no_reply` (in time), `no_token`
   * (your function returned NULL), `unknown_action`.
   */
  char code[SP_CODE_SIZE];
  /** The same request may succeed later: after an event, or when you have ended something. */
  bool is_retryable;
};

/** A connection and what is being read from it. Private. */
struct sp_link {
  struct sp_client *client;
  void *network;
  bool is_open;
  bool has_reply;   /**< The first byte of the reply has come. */
  bool has_event;   /**< An event, reply or problem has begun and not ended. */
  bool hides_event; /**< It is for the client, not for the application. */
  uint8_t wanted;   /**< What the body of a reply is if the request succeeds. */
  uint8_t shape;    /**< What it is. */
  struct sp_http http;
  struct sp_json json;
  char type[SP_TYPE_SIZE];
  char id[SP_CURSOR_SIZE];
};

/** 1.6 KB on a 32-bit processor: better static than on a stack. */
struct sp_client {
  /**
   * The last event that was passed on whole. Store it if you want to resume after a restart. Empty: none yet.
   */
  char cursor[SP_CURSOR_SIZE];
  /**
   * After SP_RETRY: how long to wait, in milliseconds; up to 45 s when nothing answers, and longer if the
   * server asks for it. You may come back earlier when you know why: the network is up again, or a call
   * would be lost.
   */
  uint32_t wait_ms;
  /** After SP_RETRY and SP_REFUSED. What it says after other results is out of date. */
  struct sp_problem problem;

  /* The rest is private. */
  struct sp_config config;
  struct sp_link requests;
  struct sp_link stream;
  struct sp_sse sse;
  uint32_t retry_ms;     /* when to reconnect, as the server asked */
  uint32_t heartbeat_ms; /* the interval of heartbeats */
  uint32_t silent_ms;    /* how long the stream has brought no byte; before its first event: nothing else */
  uint32_t random;
  uint16_t events;    /* passed on by this sp_receive() */
  uint8_t failures;   /* in succession */
  uint8_t polls_left; /* until the stream is tried again */
  bool has_begun;     /* the stream has brought an event */
  bool has_ended;     /* the stream has brought `end` */
  bool may_reconnect; /* `reconnect` of that `end` */
  bool renews_token;  /* the next request needs a new token */
  bool is_snapshot_due;
  bool is_keepalive_due;
  char end_reason[SP_CODE_SIZE];    /* `reason` of that `end` */
  char next_cursor[SP_CURSOR_SIZE]; /* `cursor` of the poll or snapshot that is being read */
};

/** Prepares the client. Sends nothing. `config` is copied. */
void sp_start(struct sp_client *client, const struct sp_config *config);

/**
 * Closes the connections. The client may be used again. To delete the mailbox as well, send `DELETE
 * /v1/presence` before.
 */
void sp_stop(struct sp_client *client);

/**
 * Waits for events, at most for the time given, and for a connection or reply up to `timeout_ms` of the
 * configuration longer. A long-poll rounds the time up to whole seconds, waits 25 s at most, and is a request
 * each time; on a stream a short time costs nothing. Begins with a snapshot if there is no cursor, and after a
 * `reset`. Sends what the server asks for: acknowledgements, a new token.
 *
 * In a call or room, call it again within 5 s of its return (`AWAY_AFTER_MS`), or the other side receives
 * `call.peer_away`; by a stream, within two heartbeats (30 s).
 */
enum sp_result sp_receive(struct sp_client *client, uint32_t timeout_ms);

/* ── Calls ── */

struct sp_candidate {
  /** `candidate:…` as in RFC 8839, section 5.1. */
  const char *line;
  /** `a=mid` of the media section. NULL: only the index counts. */
  const char *mid;
  /** Index of the media section in the description. */
  uint16_t index;
};

/** A description, candidates, or both. */
struct sp_signal {
  /** RFC 8866; at most 64 KiB. NULL: none. It is read twice. */
  const char *sdp;
  size_t sdp_size;
  /** At most 64. */
  const struct sp_candidate *candidates;
  size_t candidate_count;
  /** These are the last candidates of this ICE generation (RFC 8838, section 13). */
  bool is_last;
  /** sp_accept: the description is an offer, for a call whose `offerer` is `callee`. */
  bool is_offer;
};

/**
 * Calls a user: `POST /v1/calls`. `call.callId` of the reply is another id if that user was calling you:
 * `resolution` is `merged`, and you are in their call.
 * @param call_id a random id of yours, at most 255 bytes, so that a repeat is the same call
 * @param media `audio`, `video` or `data`; NULL: unspecified
 * @param signal the offer and candidates; NULL: they follow, or the callee makes the offer
 */
enum sp_result sp_call(struct sp_client *client, const char *call_id, const char *to, const char *media,
                       const struct sp_signal *signal);

/**
 * Accepts a call on this device. No event follows: SP_OK means that you are in the call.
 * @param signal the answer and candidates; NULL: they follow
 */
enum sp_result sp_accept(struct sp_client *client, const char *call_id, const struct sp_signal *signal);

/**
 * Sends a description as it is (`application/sdp`), which needs no escapes.
 * @param kind `offer` or `answer`
 * @param revision that of the offer being answered; 0: the server counts
 */
enum sp_result sp_describe(struct sp_client *client, const char *call_id, const char *kind, uint32_t revision,
                           const struct sp_signal *signal);

/** Sends candidates; the description in `signal` is not sent. */
enum sp_result sp_send_candidates(struct sp_client *client, const char *call_id,
                                  const struct sp_signal *signal);

/**
 * Does what needs no body. No event follows: after SP_OK of a `hangup` the call is over for you.
 * @param action `ringing`, `reject`, `cancel`, `connected`, `hold`, `resume` or `hangup`
 */
enum sp_result sp_act(struct sp_client *client, const char *call_id, const char *action);

/**
 * Sends any other request, such as `PUT /v1/presence` or `POST /v1/calls/{callId}/messages`. It may be sent twice
 * if the connection is lost: name what it creates by an id of yours, such as `messageId`.
 * @param path with its query, percent-encoded
 * @param json the body; NULL: none
 */
enum sp_result sp_request(struct sp_client *client, const char *method, const char *path, const char *json);

#ifdef __cplusplus
}
#endif

#endif
