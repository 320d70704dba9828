// The configuration, as Xen's EFI loader reads it: an INI file in the section .config, then the load options of the image. Names and
// defaults are Xen's (docs/misc/efi.pandoc, docs/misc/xen-command-line.pandoc); `unprivileged` is ours.
#include "loader.h"

#define MIB 0x100000ull
#define GIB 0x40000000ull
#define DEFAULT_DOM0_BYTES (64 * MIB)
#define MAX_VALUE 512

Options options = {.runtime_services = true, .dom0_bytes = DEFAULT_DOM0_BYTES};

typedef struct {
  const char *at;
  const char *end;
} Text;

static bool is_space(char character) {
  return character == ' ' || character == '\t' || character == '\r';
}

static bool is(Text text, const char *word) {
  UINTN length = (UINTN)(text.end - text.at), i = 0;
  while (i < length && word[i] && word[i] == text.at[i]) i++;
  return i == length && !word[i];
}

static Text trimmed(Text text) {
  while (text.at < text.end && is_space(*text.at)) text.at++;
  while (text.end > text.at && is_space(text.end[-1])) text.end--;
  return text;
}

// The part up to `separator`, which is removed from `text` together with it.
static Text take(Text *text, char separator) {
  Text part = {text->at, text->at};
  while (part.end < text->end && *part.end != separator) part.end++;
  text->at = part.end < text->end ? part.end + 1 : part.end;
  return part;
}

static Text take_word(Text *text) {
  while (text->at < text->end && is_space(*text->at)) text->at++;
  Text word = {text->at, text->at};
  while (word.end < text->end && !is_space(*word.end)) word.end++;
  text->at = word.end;
  return word;
}

// Value of `key` in `section`; empty when it is not there.
static Text value_of(Text file, Text section, const char *key) {
  bool inside = false;
  while (file.at < file.end) {
    Text line = trimmed(take(&file, '\n'));
    if (line.at < line.end && *line.at == '[') {
      Text name = {line.at + 1, line.end - (line.end[-1] == ']')};
      inside = name.end - name.at == section.end - section.at && memcmp(name.at, section.at, (UINTN)(name.end - name.at)) == 0;
      continue;
    }
    if (!inside || line.at == line.end || *line.at == '#') continue;
    Text name = take(&line, '=');
    if (is(trimmed(name), key)) return trimmed(line);
  }
  return (Text){file.end, file.end};
}

static UINT64 read_size(Text text) {
  UINT64 value = 0;
  while (text.at < text.end && *text.at >= '0' && *text.at <= '9') value = value * 10 + (UINT64)(*text.at++ - '0');
  // Without a unit it is KiB.
  char unit = text.at < text.end ? *text.at : 'K';
  if (unit == 'G' || unit == 'g') return value * GIB;
  if (unit == 'M' || unit == 'm') return value * MIB;
  if (unit == 'B' || unit == 'b') return value;
  return value << 10;
}

static bool is_false(Text text) {
  return is(text, "no") || is(text, "0") || is(text, "off") || is(text, "false") || is(text, "disable");
}

static void read_efi_option(Text list) {
  while (list.at < list.end) {
    Text item = take(&list, ',');
    if (is(item, "no-rs")) options.runtime_services = false;
    if (is(item, "rs")) options.runtime_services = true;
    Text name = take(&item, '=');
    if (is(name, "rs") && item.at < item.end) options.runtime_services = !is_false(item);
    if (is(name, "attr")) options.map_uncached = is(item, "uc");
  }
}

static void read_hypervisor_options(Text text) {
  for (;;) {
    Text word = take_word(&text);
    if (word.at == word.end) return;
    if (is(word, "noreboot")) options.no_reboot = true;
    if (is(word, "unprivileged")) options.unprivileged = true;
    Text name = take(&word, '=');
    if (is(name, "dom0_mem")) options.dom0_bytes = ROUND_UP(read_size(word), PAGE_SIZE);
    if (is(name, "efi")) read_efi_option(word);
  }
}

// Appends to a buffer, with a space in between; false when it does not fit.
static bool append(char *buffer, UINTN capacity, Text text) {
  UINTN used = 0, length = (UINTN)(text.end - text.at);
  while (buffer[used]) used++;
  if (length == 0) return true;
  if (used + length + 2 > capacity) return false;
  if (used) buffer[used++] = ' ';
  memcpy(buffer + used, text.at, length);
  buffer[used + length] = 0;
  return true;
}

// As ASCII, in one line; the first word is the name of the image.
static Text load_options(void) {
  static char text[MAX_VALUE];
  const CHAR16 *from = loaded_image->LoadOptions;
  UINTN count = from ? loaded_image->LoadOptionsSize / sizeof(CHAR16) : 0, length = 0;
  while (length < count && length < sizeof(text) && from[length]) {
    text[length] = from[length] < 0x80 ? (char)from[length] : '?';
    length++;
  }
  Text all = {text, text + length};
  take_word(&all);
  return all;
}

const CHAR16 *options_read(void) {
  Text file = {"", ""};
  UINT8 *config;
  UINTN config_size;
  if (!find_section(".config", &config, &config_size)) return u"No configuration file found.";
  file = (Text){(const char *)config, (const char *)config + config_size};
  static const char global_name[] = "global";
  Text section = value_of(file, (Text){global_name, global_name + sizeof(global_name) - 1}, "default");
  Text hypervisor_options = value_of(file, section, "options");
  Text kernel = value_of(file, section, "kernel");
  if (kernel.at == kernel.end) return u"No initial domain kernel specified.";
  options.map_boot_services = is(value_of(file, section, "mapbs"), "1");
  options.keep_boot_services = is(value_of(file, section, "noexitboot"), "1");
  if (!append(options.command_line, sizeof(options.command_line), hypervisor_options)) return u"The options are too long.";
  take_word(&kernel);
  if (!append(options.dom0_command_line, sizeof(options.dom0_command_line), trimmed(kernel)))
    return u"The kernel's command line is too long.";
  read_hypervisor_options(hypervisor_options);

  Text rest = load_options();
  for (;;) {
    Text word = take_word(&rest);
    if (word.at == word.end) break;
    if (is(word, "--")) {
      if (!append(options.command_line, sizeof(options.command_line), trimmed(rest))) return u"The options are too long.";
      read_hypervisor_options(rest);
      break;
    }
    if (is(word, "-mapbs")) options.map_boot_services = true;
    else if (is(word, "-noexitboot")) options.keep_boot_services = true;
    else return u"Unknown load option. There are -mapbs, -noexitboot, and -- before options of the hypervisor.";
  }
  // Boot services that stay need their memory.
  options.map_boot_services |= options.keep_boot_services;
  return NULL;
}
