#include "commands.h"
#include <stdlib.h>
#include <string.h>

size_t parse_bytes(const char *text, uint8_t *to, size_t room) {
  if (strcmp(text, "-") == 0) return 0;
  const char *times = strchr(text, '*');
  size_t length = times ? strtoul(times + 1, NULL, 10) : strlen(text) / 2;
  if (length > room) length = room;
  for (size_t i = 0; i < length; i++) {
    const char *at = text + (times ? 0 : 2 * i);
    char digits[3] = {at[0], at[1], 0};
    to[i] = (uint8_t)strtoul(digits, NULL, 16);
  }
  return length;
}
