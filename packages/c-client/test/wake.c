/** The port for sockets, and a descriptor that wakes it. Waits without a limit: it ends, or it does not. */
#define _POSIX_C_SOURCE 200112L

#include "sockets.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
  int pair[2], button[2];
  char bytes[8];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 || pipe(button) != 0) return 2;
  struct sp_sockets sockets = {.socket = pair[0], .wake = &button[0]};
  const struct sp_port *port = &sp_sockets_port;
  bool is_right = write(button[1], "", 1) == 1;
  is_right = is_right && port->receive(&sockets, bytes, sizeof bytes, UINT32_MAX) == SP_WOKEN;
  /* Once for each time. */
  is_right = is_right && port->receive(&sockets, bytes, sizeof bytes, 0) == 0;
  /* What has arrived comes first, and the button is not forgotten. */
  is_right = is_right && write(button[1], "", 1) == 1 && write(pair[1], "data", 4) == 4;
  is_right = is_right && port->receive(&sockets, bytes, sizeof bytes, UINT32_MAX) == 4;
  is_right = is_right && port->receive(&sockets, bytes, sizeof bytes, UINT32_MAX) == SP_WOKEN;
  /* A pipe without a writer can always be read. */
  close(button[1]);
  is_right = is_right && port->receive(&sockets, bytes, sizeof bytes, UINT32_MAX) == SP_WOKEN;
  is_right = is_right && port->receive(&sockets, bytes, sizeof bytes, 0) == 0;
  close(pair[1]);
  is_right = is_right && port->receive(&sockets, bytes, sizeof bytes, UINT32_MAX) == -1;
  puts(is_right ? "right" : "wrong");
  return is_right ? 0 : 1;
}
