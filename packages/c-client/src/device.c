/* A device with a key of its own: what it signs (docs/guides/devices.md, "What is signed"), and its requests. */
#include "internal.h"
#include "signalpost_device.h"

#include <string.h>

enum {
  CODE_LENGTH = 28,
  /** Base64url without padding, with NUL. */
  PUBLIC_KEY_TEXT = 44,
  SIGNATURE_TEXT = 87
};

static const char JSON[] = "application/json";

/* ── What is signed ── */

static void begin_message(struct sp_device *device, const char *purpose) {
  device->size = strlen(purpose) + 1;
  memcpy(device->message, purpose, device->size);
}

/** The length as two bytes, and the bytes. What does not fit is never signed. */
static void add_field(struct sp_device *device, const void *bytes, size_t size) {
  if (size > 0xffff || device->size + 2 + size > SP_MESSAGE_SIZE) {
    device->is_truncated = true;
    return;
  }
  uint8_t *end = device->message + device->size;
  end[0] = (uint8_t)(size >> 8);
  end[1] = (uint8_t)size;
  memcpy(end + 2, bytes, size);
  device->size += 2 + size;
}

static void add_text(struct sp_device *device, const char *text) {
  add_field(device, text, strlen(text));
}

/** RFC 4648, section 5, without padding. `text` has room for 4 characters for every 3 bytes begun, and NUL. */
static void write_base64url(char *text, const uint8_t *bytes, size_t size) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  uint32_t bits = 0;
  unsigned count = 0;
  for (size_t i = 0; i < size; i++) {
    bits = bits << 8 | bytes[i];
    for (count += 8; count >= 6; count -= 6) *text++ = digits[bits >> (count - 6) & 63];
  }
  if (count > 0) *text++ = digits[bits << (6 - count) & 63];
  *text = '\0';
}

static enum sp_result refuse(struct sp_client *client, const char *code) {
  client->problem = (struct sp_problem){0};
  memcpy(client->problem.code, code, strlen(code) + 1);
  return SP_REFUSED;
}

/** Signs the message of the device. @param text SIGNATURE_TEXT bytes */
static enum sp_result sign_message(struct sp_client *client, const struct sp_device *device, sp_sign sign,
                                   void *signer, char *text) {
  uint8_t signature[SP_SIGNATURE_SIZE];
  if (device->is_truncated) return refuse(client, "too_long");
  if (sign == NULL || !sign(signer, device->message, device->size, signature))
    return refuse(client, "cannot_sign");
  write_base64url(text, signature, sizeof signature);
  return SP_OK;
}

/* ── Requests ── */

/** A text of the reply, which may come in pieces. */
static void take_text(struct sp_device *device, char *text, size_t text_size,
                      const struct sp_json_value *value) {
  if (value->is_first) device->size = 0;
  if (device->size + value->size >= text_size) {
    device->is_truncated = true;
    return;
  }
  memcpy(text + device->size, value->text, value->size);
  device->size += value->size;
  text[device->size] = '\0';
}

static void take_value(void *context, const char *type, const struct sp_json_value *value) {
  struct sp_device *device = context;
  if (strcmp(type, "reply") != 0 || value->kind != SP_STRING) return;
  if (strcmp(value->path, "user") == 0) take_text(device, device->user, SP_ID_SIZE, value);
  if (strcmp(value->path, "device") == 0) take_text(device, device->device, SP_ID_SIZE, value);
  /* A nonce is where its token will be. */
  if (strcmp(value->path, "nonce") == 0 || strcmp(value->path, "token") == 0)
    take_text(device, device->token, SP_TOKEN_SIZE, value);
}

static void ignore_end(void *context, const char *type, bool is_whole) {
  (void)context;
  (void)type;
  (void)is_whole;
}

struct body {
  const char *names[4];
  const char *texts[4];
};

static void write_members(struct sp_writer *writer, const void *body) {
  const struct body *members = body;
  const char *separator = "{\"";
  for (size_t i = 0; i < 4; i++) {
    if (members->texts[i] == NULL) continue;
    sp_write_text(writer, separator);
    sp_write_text(writer, members->names[i]);
    sp_write_text(writer, "\":");
    sp_write_json(writer, members->texts[i], strlen(members->texts[i]));
    separator = ",\"";
  }
  sp_write_text(writer, "}");
}

/** Sends the request; the reply is for the device and not for the application. */
static enum sp_result ask(struct sp_client *client, struct sp_device *device, struct sp_exchange exchange,
                          const struct body *body) {
  const struct sp_config config = client->config;
  exchange.timeout_ms = config.timeout_ms;
  exchange.shape = SP_SHAPE_REPLY;
  if (body != NULL) {
    exchange.content_type = JSON;
    exchange.write_body = write_members;
    exchange.body = body;
  }
  device->is_truncated = false;
  if (exchange.is_anonymous) {
    client->config.on_value = take_value;
    client->config.on_end = ignore_end;
    client->config.context = device;
  }
  const enum sp_result result = sp_perform(client, &exchange);
  client->config = config;
  return result == SP_OK && device->is_truncated ? refuse(client, "too_long") : result;
}

/** @param read CODE_LENGTH + 1 bytes. @return false: it is no code */
static bool read_code(char *read, const char *typed) {
  size_t size = 0;
  for (; *typed != '\0'; typed++) {
    char c = *typed;
    if (c == '-' || c == ' ') continue;
    if (c >= 'a' && c <= 'z') c = (char)(c - 'a' + 'A');
    if (c == 'O') c = '0';
    if (c == 'I' || c == 'L') c = '1';
    if (size == CODE_LENGTH || strchr("0123456789ABCDEFGHJKMNPQRSTVWXYZ", c) == NULL) return false;
    read[size++] = c;
  }
  read[size] = '\0';
  return size == CODE_LENGTH;
}

enum sp_result sp_enroll(struct sp_client *client, struct sp_device *device, const char *code,
                         const uint8_t *public_key) {
  char read[CODE_LENGTH + 1];
  char key[PUBLIC_KEY_TEXT];
  char signature[SIGNATURE_TEXT];
  if (!read_code(read, code)) return refuse(client, "invalid_code");
  device->is_truncated = false;
  begin_message(device, "signalpost-device-enroll-v1");
  add_text(device, read);
  add_field(device, public_key, SP_PUBLIC_KEY_SIZE);
  const enum sp_result signing = sign_message(client, device, device->sign, device->signer, signature);
  if (signing != SP_OK) return signing;
  write_base64url(key, public_key, SP_PUBLIC_KEY_SIZE);
  const struct body body = {{"code", "publicKey", "signature"}, {read, key, signature}};
  const struct sp_exchange exchange = {.method = "POST", .path = "/v1/device/enroll", .is_anonymous = true};
  return ask(client, device, exchange, &body);
}

static enum sp_result get_nonce(struct sp_client *client, struct sp_device *device, char *signature) {
  const struct sp_exchange exchange = {.method = "POST", .path = "/v1/device/nonce", .is_anonymous = true};
  const enum sp_result result = ask(client, device, exchange, NULL);
  if (result != SP_OK) return result;
  begin_message(device, "signalpost-device-token-v1");
  add_text(device, device->token);
  add_text(device, device->user);
  add_text(device, device->device);
  return sign_message(client, device, device->sign, device->signer, signature);
}

static enum sp_result exchange_token(struct sp_client *client, struct sp_device *device) {
  char signature[SIGNATURE_TEXT];
  const struct sp_exchange exchange = {.method = "POST", .path = "/v1/device/token", .is_anonymous = true};
  struct body body = {{"user", "device"}, {device->user, device->device}};
  if (device->key != NULL) {
    body.names[2] = "key";
    body.texts[2] = device->key;
    return ask(client, device, exchange, &body);
  }
  const enum sp_result result = get_nonce(client, device, signature);
  if (result != SP_OK) return result;
  body.names[2] = "nonce";
  body.texts[2] = device->token;
  body.names[3] = "signature";
  body.texts[3] = signature;
  return ask(client, device, exchange, &body);
}

enum sp_result sp_get_token(struct sp_client *client, struct sp_device *device) {
  const enum sp_result result = exchange_token(client, device);
  if (result == SP_OK) {
    client->renews_token = false; /* here it is */
  } else {
    device->token[0] = '\0';
  }
  return result;
}

const char *sp_token_of(struct sp_device *device, bool renew) {
  if (renew) device->token[0] = '\0';
  return device->token[0] == '\0' ? NULL : device->token;
}

enum sp_result sp_replace_key(struct sp_client *client, struct sp_device *device, const uint8_t *public_key,
                              sp_sign sign, void *signer) {
  char key[PUBLIC_KEY_TEXT];
  char signature[SIGNATURE_TEXT];
  char current[SIGNATURE_TEXT];
  device->is_truncated = false;
  begin_message(device, "signalpost-device-key-v1");
  add_text(device, device->user);
  add_text(device, device->device);
  add_field(device, public_key, SP_PUBLIC_KEY_SIZE);
  enum sp_result result = sign_message(client, device, sign, signer, signature);
  if (result == SP_OK && device->key == NULL)
    result = sign_message(client, device, device->sign, device->signer, current);
  if (result != SP_OK) return result;
  write_base64url(key, public_key, SP_PUBLIC_KEY_SIZE);
  const bool has_key = device->key != NULL;
  const struct body body = {{"publicKey", "signature", has_key ? "key" : "currentSignature"},
                            {key, signature, has_key ? device->key : current}};
  const struct sp_exchange exchange = {.method = "PUT", .path = "/v1/device/key"};
  return ask(client, device, exchange, &body);
}
