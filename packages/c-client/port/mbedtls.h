/**
 * A port with TLS by mbedTLS (2.28 or 3) on top of the port for sockets. It verifies the certificate of the
 * server and resumes its last session, which saves most of the next handshake. mbedTLS takes memory from the
 * heap while a connection is open.
 *
 * The platform provides randomness (`mbedtls_hardware_poll()` with MBEDTLS_ENTROPY_HARDWARE_ALT, where there is no
 * operating system) and, unless mbedTLS is built without MBEDTLS_HAVE_TIME_DATE, the time: set the clock before the
 * first connection, or every certificate is not valid yet.
 */
#ifndef SP_MBEDTLS_H
#define SP_MBEDTLS_H

#include "sockets.h"

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The network context of one connection. */
struct sp_mbedtls {
  struct sp_sockets sockets;
  uint32_t timeout_ms; /**< Of the operation in progress. */
  /**
   * After SP_RETRY with the code `no_connection`: what mbedTLS returned, such as
   * MBEDTLS_ERR_X509_CERT_VERIFY_FAILED. 0: TLS did not fail, so the server was not reached.
   */
  int error;
  uint32_t verify_result; /**< MBEDTLS_X509_BADCERT_…: why the certificate was not accepted. */
  bool has_session;
  mbedtls_entropy_context entropy;
  mbedtls_ctr_drbg_context random;
  mbedtls_x509_crt authorities;
  mbedtls_ssl_config config;
  mbedtls_ssl_context tls;
  mbedtls_ssl_session session;
};

/**
 * @param host the name in the server's certificate, and port as text; both must stay valid
 * @param authorities the certificate authorities that you trust: PEM text
 * @return false: it is no PEM text, or there is no randomness; `error` of the network is what mbedTLS returned
 */
bool sp_mbedtls_start(struct sp_mbedtls *network, const char *host, const char *port,
                      const char *authorities);

/** Frees what sp_mbedtls_start() took. Call sp_stop() of the client before. */
void sp_mbedtls_stop(struct sp_mbedtls *network);

extern const struct sp_port sp_mbedtls_port;

#ifdef __cplusplus
}
#endif

#endif
