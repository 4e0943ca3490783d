#define _POSIX_C_SOURCE 200112L

#include "sockets.h"

#include <errno.h>
#ifdef SP_LWIP
#include <lwip/netdb.h>
#include <lwip/sockets.h>
#else
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#ifdef ESP_PLATFORM
#include <sys/poll.h>
#else
#include <poll.h>
#endif
#include <sys/socket.h>
#include <unistd.h>
#endif

/* lwIP raises no signals. */
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

/** @return whether one of them is ready, or has failed: the next operation tells */
static bool wait_for_any(struct pollfd *descriptors, unsigned count, uint32_t timeout_ms) {
  int ready;
  do {
    ready = poll(descriptors, count, timeout_ms > INT32_MAX ? -1 : (int)timeout_ms);
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

static bool wait_for(int socket, short events, uint32_t timeout_ms) {
  struct pollfd descriptor = {.fd = socket, .events = events};
  return wait_for_any(&descriptor, 1, timeout_ms);
}

static bool would_block(void) {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static bool is_connected(int socket, uint32_t timeout_ms) {
  int error = 0;
  socklen_t size = sizeof error;
  if (!wait_for(socket, POLLOUT, timeout_ms)) return false;
  return getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

/** @return the socket; -1: the address cannot be reached */
static int open_socket(const struct addrinfo *address, uint32_t timeout_ms) {
  const int one = 1;
  const int fd = socket(address->ai_family, address->ai_socktype, address->ai_protocol);
  if (fd < 0) return -1;
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL, 0) | O_NONBLOCK);
  /* A request whose body is longer than the send buffer takes several sends, which must not wait for each
     other. */
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  const bool has_begun = connect(fd, address->ai_addr, address->ai_addrlen) == 0 || errno == EINPROGRESS;
  if (has_begun && is_connected(fd, timeout_ms)) return fd;
  close(fd);
  return -1;
}

static bool sockets_connect(void *network, uint32_t timeout_ms) {
  struct sp_sockets *sockets = network;
  const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  struct addrinfo *addresses = NULL;
  if (getaddrinfo(sockets->host, sockets->port, &hints, &addresses) != 0) return false;
  sockets->socket = -1;
  for (const struct addrinfo *each = addresses; each != NULL && sockets->socket < 0; each = each->ai_next)
    sockets->socket = open_socket(each, timeout_ms);
  freeaddrinfo(addresses);
  return sockets->socket >= 0;
}

static bool sockets_send(void *network, const void *data, size_t size, uint32_t timeout_ms) {
  const struct sp_sockets *sockets = network;
  const char *next = data;
  while (size > 0) {
    const ssize_t sent = send(sockets->socket, next, size, MSG_NOSIGNAL);
    if (sent > 0) {
      next += sent;
      size -= (size_t)sent;
    } else if (sent == 0 || !would_block() || !wait_for(sockets->socket, POLLOUT, timeout_ms)) {
      return false;
    }
  }
  return true;
}

/** Reads what has woken the device, so that it wakes it once. */
static int take_wake(struct sp_sockets *sockets) {
  char bytes[8]; /* what an eventfd needs */
  const ssize_t taken = read(*sockets->wake, bytes, sizeof bytes);
  if (taken == 0 || (taken < 0 && !would_block()))
    sockets->wake = NULL; /* it is closed: it would wake for ever */
  return SP_WOKEN;
}

static int sockets_receive(void *network, void *buffer, size_t size, uint32_t timeout_ms) {
  struct sp_sockets *sockets = network;
  struct pollfd descriptors[2] = {{.fd = sockets->socket, .events = POLLIN}, {.events = POLLIN}};
  if (sockets->wake != NULL) descriptors[1].fd = *sockets->wake;
  if (!wait_for_any(descriptors, sockets->wake == NULL ? 1 : 2, timeout_ms)) return 0;
  if (descriptors[0].revents == 0) return take_wake(sockets);
  const ssize_t received = recv(sockets->socket, buffer, size, 0);
  if (received > 0) return (int)received;
  return received < 0 && would_block() ? 0 : -1;
}

static void sockets_close(void *network) {
  struct sp_sockets *sockets = network;
  close(sockets->socket);
  sockets->socket = -1;
}

const struct sp_port sp_sockets_port = {sockets_connect, sockets_send, sockets_receive, sockets_close};
