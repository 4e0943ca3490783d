/**
 * A device with a key of its own (docs/guides/devices.md): it enrolls, gets tokens, and replaces its key. It
 * needs no clock. Link src/device.c only if you use it.
 *
 *     static const char *token(void *context, bool renew) { return sp_token_of(&device, renew); }
 *
 *     switch (sp_receive(&client, 4000)) {
 *     case SP_RETRY:
 *       if (device.token[0] == '\0' && sp_get_token(&client, &device) == SP_OK) break; // go on at once
 *       wait(client.wait_ms);
 *       ...
 */
#ifndef SIGNALPOST_DEVICE_H
#define SIGNALPOST_DEVICE_H

#include "signalpost.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
  SP_PUBLIC_KEY_SIZE = 32,
  SP_SIGNATURE_SIZE = 64,
  /** Bytes of an id with its NUL. */
  SP_ID_SIZE = 256,
  /** Bytes of a token with its NUL, with ids of any length. */
  SP_TOKEN_SIZE = 1536,
  SP_MESSAGE_SIZE = 704
};

/**
 * Makes an Ed25519 signature (RFC 8032, section 5.1) of the message. A secure element can do that: the private
 * key need not be in memory. port/sp_sodium.c does it with libsodium. @return false: it could not sign
 */
typedef bool (*sp_sign)(void *context, const uint8_t *message, size_t size, uint8_t *signature);

/** 2.5 KB on a 32-bit processor. */
struct sp_device {
  /** NULL: the device has `key`. */
  sp_sign sign;
  /** Passed to `sign`. */
  void *signer;
  /** A key that the operator made, for a device that cannot sign. It is sent to the server: only over TLS. */
  const char *key;
  /** Set by sp_enroll(), or by you. Keep them with the key. */
  char user[SP_ID_SIZE];
  char device[SP_ID_SIZE];
  /** Empty: sp_get_token() is due. */
  char token[SP_TOKEN_SIZE];

  /* The rest is private. */
  uint8_t message[SP_MESSAGE_SIZE];
  size_t size;       /* of the message, or of the text that is being received */
  bool is_truncated; /* a text did not fit */
};

/** For `token` of the configuration. @return the token; NULL: call sp_get_token() */
const char *sp_token_of(struct sp_device *device, bool renew);

/**
 * Redeems an enrollment code with the public key of `sign`. Keep the private key before: a repeat with the same
 * key does no harm. @param code as it was typed
 * @return SP_REFUSED: see `problem`; of the client itself are `invalid_code`, `cannot_sign` and `too_long`
 */
enum sp_result sp_enroll(struct sp_client *client, struct sp_device *device, const char *code,
                         const uint8_t *public_key);

/** Gets a token, with one or two requests. @return SP_REFUSED: the operator has revoked the device */
enum sp_result sp_get_token(struct sp_client *client, struct sp_device *device);

/**
 * Replaces the device's public key, or its 256-bit key. Keep the new private key before, and the old one until
 * SP_OK: after a restart sp_get_token() tells which of them is valid. Set `sign` or `signer` to the new key then.
 * @param sign signs with the new key, whose public part is `public_key`
 */
enum sp_result sp_replace_key(struct sp_client *client, struct sp_device *device, const uint8_t *public_key,
                              sp_sign sign, void *signer);

#ifdef __cplusplus
}
#endif

#endif
