#include "internal.h"

#include <string.h>

static void send_buffer(struct sp_writer *writer) {
  struct sp_link *link = writer->link;
  const struct sp_config *config = &link->client->config;
  if (!writer->is_broken && writer->size > 0)
    writer->is_broken = !config->port->send(link->network, writer->buffer, writer->size, config->timeout_ms);
  writer->size = 0;
}

void sp_write(struct sp_writer *writer, const char *data, size_t size) {
  writer->counted += size;
  while (!writer->is_counting && size > 0) {
    if (writer->size == SP_SEND_SIZE) send_buffer(writer);
    const size_t room = SP_SEND_SIZE - writer->size;
    const size_t part = size < room ? size : room;
    memcpy(writer->buffer + writer->size, data, part);
    writer->size += part;
    data += part;
    size -= part;
  }
}

void sp_write_text(struct sp_writer *writer, const char *text) {
  sp_write(writer, text, strlen(text));
}

void sp_write_number(struct sp_writer *writer, uint32_t number) {
  char digits[10];
  size_t at = sizeof digits;
  do {
    digits[--at] = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  sp_write(writer, digits + at, sizeof digits - at);
}

static bool is_unreserved(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         (c != '\0' && strchr("-._~", c) != NULL);
}

static char hex_digit(unsigned value) {
  return "0123456789ABCDEF"[value & 15];
}

void sp_write_encoded(struct sp_writer *writer, const char *text) {
  for (; *text != '\0'; text++) {
    const unsigned byte = (uint8_t)*text;
    const char escape[] = {'%', hex_digit(byte >> 4), hex_digit(byte)};
    if (is_unreserved(*text)) {
      sp_write(writer, text, 1);
    } else {
      sp_write(writer, escape, sizeof escape);
    }
  }
}

static void write_escape(struct sp_writer *writer, char c) {
  const unsigned byte = (uint8_t)c;
  const char short_escape[] = {'\\', c == '\n' ? 'n' : c == '\r' ? 'r' : c};
  const char long_escape[] = {'\\', 'u', '0', '0', hex_digit(byte >> 4), hex_digit(byte)};
  if (c == '"' || c == '\\' || c == '\n' || c == '\r') {
    sp_write(writer, short_escape, sizeof short_escape);
  } else {
    sp_write(writer, long_escape, sizeof long_escape);
  }
}

void sp_write_json(struct sp_writer *writer, const char *text, size_t size) {
  sp_write(writer, "\"", 1);
  size_t plain = 0; /* the start of what needs no escapes */
  for (size_t i = 0; i < size; i++) {
    const bool needs_escape = (uint8_t)text[i] < 0x20 || text[i] == '"' || text[i] == '\\';
    if (!needs_escape) continue;
    sp_write(writer, text + plain, i - plain);
    write_escape(writer, text[i]);
    plain = i + 1;
  }
  sp_write(writer, text + plain, size - plain);
  sp_write(writer, "\"", 1);
}

bool sp_flush(struct sp_writer *writer) {
  send_buffer(writer);
  return !writer->is_broken;
}
