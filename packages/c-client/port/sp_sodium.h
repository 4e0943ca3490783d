/**
 * Signs with libsodium (1.0.18 or later), for devices whose private key is in memory.
 */
#ifndef SP_SODIUM_H
#define SP_SODIUM_H

#include "signalpost_device.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The seed, which is what has to be kept, and what libsodium needs to sign. */
struct sp_sodium_key {
  uint8_t seed[32];
  uint8_t public_key[SP_PUBLIC_KEY_SIZE];
  uint8_t secret_key[64];
};

/** Makes a key of 32 random bytes. @return false: there is no randomness */
bool sp_sodium_make(struct sp_sodium_key *key);

/** Completes a key from its seed. */
bool sp_sodium_load(struct sp_sodium_key *key);

/** An sp_sign. @param context the sp_sodium_key */
bool sp_sodium_sign(void *context, const uint8_t *message, size_t size, uint8_t *signature);

#ifdef __cplusplus
}
#endif

#endif
