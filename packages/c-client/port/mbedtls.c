#include "mbedtls.h"

#include <mbedtls/net_sockets.h>
#include <string.h>

/* ── Below TLS: the port for sockets ── */

static int send_bytes(void *context, const unsigned char *data, size_t size) {
  struct sp_mbedtls *network = context;
  const bool is_sent = sp_sockets_port.send(&network->sockets, data, size, network->timeout_ms);
  return is_sent ? (int)size : MBEDTLS_ERR_NET_SEND_FAILED;
}

static int receive_bytes(void *context, unsigned char *buffer, size_t size) {
  struct sp_mbedtls *network = context;
  const int received = sp_sockets_port.receive(&network->sockets, buffer, size, network->timeout_ms);
  if (received == 0) return MBEDTLS_ERR_SSL_TIMEOUT;
  if (received == SP_WOKEN) return MBEDTLS_ERR_SSL_WANT_READ;
  return received > 0 ? received : MBEDTLS_ERR_NET_CONN_RESET;
}

/* ── The port ── */

static void tls_close(void *context) {
  struct sp_mbedtls *network = context;
  mbedtls_ssl_close_notify(&network->tls);
  mbedtls_ssl_free(&network->tls);
  sp_sockets_port.close(&network->sockets);
}

/** Keeps what mbedTLS returned. @return whether that is success */
static bool succeeds(struct sp_mbedtls *network, int result) {
  network->error = result;
  return result == 0;
}

static bool handshake(struct sp_mbedtls *network) {
  mbedtls_ssl_init(&network->tls);
  if (!succeeds(network, mbedtls_ssl_setup(&network->tls, &network->config))) return false;
  if (!succeeds(network, mbedtls_ssl_set_hostname(&network->tls, network->sockets.host))) return false;
  if (network->has_session) mbedtls_ssl_set_session(&network->tls, &network->session);
  mbedtls_ssl_set_bio(&network->tls, network, send_bytes, receive_bytes, NULL);
  /* What wakes the device is for the poll that follows. */
  const int *wake = network->sockets.wake;
  network->sockets.wake = NULL;
  const bool is_done = succeeds(network, mbedtls_ssl_handshake(&network->tls));
  network->sockets.wake = wake;
  network->verify_result = mbedtls_ssl_get_verify_result(&network->tls);
  return is_done;
}

static void keep_session(struct sp_mbedtls *network) {
  mbedtls_ssl_session_free(&network->session);
  mbedtls_ssl_session_init(&network->session);
  network->has_session = mbedtls_ssl_get_session(&network->tls, &network->session) == 0;
}

static bool tls_connect(void *context, uint32_t timeout_ms) {
  struct sp_mbedtls *network = context;
  network->timeout_ms = timeout_ms;
  network->error = 0;
  if (!sp_sockets_port.connect(&network->sockets, timeout_ms)) return false;
  if (handshake(network)) {
    keep_session(network);
    return true;
  }
  /* The session may be what the server refused. */
  network->has_session = false;
  mbedtls_ssl_free(&network->tls);
  sp_sockets_port.close(&network->sockets);
  return false;
}

static bool tls_send(void *context, const void *data, size_t size, uint32_t timeout_ms) {
  struct sp_mbedtls *network = context;
  const unsigned char *next = data;
  network->timeout_ms = timeout_ms;
  while (size > 0) {
    const int sent = mbedtls_ssl_write(&network->tls, next, size);
    if (sent <= 0) return false;
    next += sent;
    size -= (size_t)sent;
  }
  return true;
}

/** TLS 1.3 brings session tickets between the data. */
static bool is_ticket(int received) {
#ifdef MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET
  return received == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET;
#else
  (void)received;
  return false;
#endif
}

static int tls_receive(void *context, void *buffer, size_t size, uint32_t timeout_ms) {
  struct sp_mbedtls *network = context;
  network->timeout_ms = timeout_ms;
  int received;
  do {
    received = mbedtls_ssl_read(&network->tls, buffer, size);
  } while (is_ticket(received));
  if (received > 0) return received;
  if (received == MBEDTLS_ERR_SSL_WANT_READ) return SP_WOKEN;
  return received == MBEDTLS_ERR_SSL_TIMEOUT ? 0 : -1;
}

const struct sp_port sp_mbedtls_port = {tls_connect, tls_send, tls_receive, tls_close};

bool sp_mbedtls_start(struct sp_mbedtls *network, const char *host, const char *port,
                      const char *authorities) {
  *network = (struct sp_mbedtls){.sockets = {.host = host, .port = port, .socket = -1}};
  mbedtls_entropy_init(&network->entropy);
  mbedtls_ctr_drbg_init(&network->random);
  mbedtls_x509_crt_init(&network->authorities);
  mbedtls_ssl_config_init(&network->config);
  mbedtls_ssl_session_init(&network->session);
  if (!succeeds(network,
                mbedtls_ctr_drbg_seed(&network->random, mbedtls_entropy_func, &network->entropy, NULL, 0)))
    return false;
  const size_t size = strlen(authorities) + 1; /* PEM is parsed with its NUL */
  if (!succeeds(network,
                mbedtls_x509_crt_parse(&network->authorities, (const unsigned char *)authorities, size)))
    return false;
  if (mbedtls_ssl_config_defaults(&network->config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                  MBEDTLS_SSL_PRESET_DEFAULT) != 0)
    return false;
  mbedtls_ssl_conf_ca_chain(&network->config, &network->authorities, NULL);
  mbedtls_ssl_conf_authmode(&network->config, MBEDTLS_SSL_VERIFY_REQUIRED);
  mbedtls_ssl_conf_rng(&network->config, mbedtls_ctr_drbg_random, &network->random);
  return true;
}

void sp_mbedtls_stop(struct sp_mbedtls *network) {
  mbedtls_ssl_session_free(&network->session);
  mbedtls_ssl_config_free(&network->config);
  mbedtls_x509_crt_free(&network->authorities);
  mbedtls_ctr_drbg_free(&network->random);
  mbedtls_entropy_free(&network->entropy);
}
