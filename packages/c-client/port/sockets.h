/**
 * A port for BSD sockets: those of POSIX and of ESP-IDF, or with SP_LWIP defined those of lwIP itself, which needs
 * LWIP_SOCKET, LWIP_DNS and LWIP_COMPAT_SOCKETS.
 */
#ifndef SP_SOCKETS_H
#define SP_SOCKETS_H

#include "signalpost.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The network context of one connection. Set the first two. */
struct sp_sockets {
  /**
   * A name or an address. Resolved at each connect. The resolver of the platform may use the heap, and has a
   * timeout of its own.
   */
  const char *host;
  /** A number as text, such as `80`. */
  const char *port;
  int socket;
  /**
   * A descriptor that wakes a poll when it can be read, such as the end of a pipe into which the handler of a button
   * writes; with lwIP a socket. NULL: nothing wakes it.
   */
  const int *wake;
};

extern const struct sp_port sp_sockets_port;

#ifdef __cplusplus
}
#endif

#endif
