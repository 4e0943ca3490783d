#include "sp_sodium.h"

#include <sodium.h>

bool sp_sodium_load(struct sp_sodium_key *key) {
  return sodium_init() >= 0 && crypto_sign_seed_keypair(key->public_key, key->secret_key, key->seed) == 0;
}

bool sp_sodium_make(struct sp_sodium_key *key) {
  if (sodium_init() < 0) return false;
  randombytes_buf(key->seed, sizeof key->seed);
  return sp_sodium_load(key);
}

bool sp_sodium_sign(void *context, const uint8_t *message, size_t size, uint8_t *signature) {
  const struct sp_sodium_key *key = context;
  return crypto_sign_detached(signature, NULL, message, size, key->secret_key) == 0;
}
