// Simple text output (UEFI 2.10, 12.4) on the first serial port, an NS16550 at 115200 baud.
#include "firmware.h"
#include "port-io.h"

#define UART_DATA PORT_SERIAL
#define UART_INTERRUPT_ENABLE (PORT_SERIAL + 1)
#define UART_FIFO_CONTROL (PORT_SERIAL + 2)
#define UART_LINE_CONTROL (PORT_SERIAL + 3)
#define UART_LINE_STATUS (PORT_SERIAL + 5)
#define LINE_8N1 0x03
#define LINE_DIVISOR_ACCESS 0x80
#define STATUS_TRANSMIT_EMPTY 0x20
// A port that is not there must not stop the machine.
#define TRANSMIT_TRIES 100000
#define COLUMNS 80
#define ROWS 25

static SIMPLE_TEXT_OUTPUT_MODE mode = {.MaxMode = 1, .Attribute = 0x07, .CursorVisible = 1};

static void put_byte(UINT8 byte) {
  for (UINTN i = 0; i < TRANSMIT_TRIES && !(in8(UART_LINE_STATUS) & STATUS_TRANSMIT_EMPTY); i++) continue;
  out8(UART_DATA, byte);
}

// UCS-2 leaves as UTF-8.
static void put_character(CHAR16 character) {
  if (character < 0x80) {
    put_byte((UINT8)character);
  } else if (character < 0x800) {
    put_byte((UINT8)(0xc0 | character >> 6));
    put_byte((UINT8)(0x80 | (character & 0x3f)));
  } else {
    put_byte((UINT8)(0xe0 | character >> 12));
    put_byte((UINT8)(0x80 | (character >> 6 & 0x3f)));
    put_byte((UINT8)(0x80 | (character & 0x3f)));
  }
  if (character == '\r') mode.CursorColumn = 0;
  else if (character == '\n') mode.CursorRow += mode.CursorRow < ROWS - 1;
  else if (mode.CursorColumn < COLUMNS - 1) mode.CursorColumn++;
}

static EFI_STATUS EFIAPI output_string(EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *this, const CHAR16 *text) {
  (void)this;
  if (!text) return EFI_INVALID_PARAMETER;
  while (*text) put_character(*text++);
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI reset(EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *this, BOOLEAN extended) {
  (void)this;
  (void)extended;
  mode.CursorColumn = mode.CursorRow = 0;
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI test_string(EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *this, const CHAR16 *text) {
  (void)this;
  return text ? EFI_SUCCESS : EFI_INVALID_PARAMETER;
}

static EFI_STATUS EFIAPI query_mode(EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *this, UINTN number, UINTN *columns, UINTN *rows) {
  (void)this;
  if (number != 0) return EFI_UNSUPPORTED;
  if (!columns || !rows) return EFI_INVALID_PARAMETER;
  *columns = COLUMNS;
  *rows = ROWS;
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_mode(EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *this, UINTN number) {
  return number == 0 ? reset(this, false) : EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI set_attribute(EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *this, UINTN attribute) {
  (void)this;
  if (attribute > 0x7f) return EFI_UNSUPPORTED;
  mode.Attribute = (int32_t)attribute;
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI clear_screen(EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *this) {
  output_string(this, u"\x1b[2J\x1b[H");
  return reset(this, false);
}

static EFI_STATUS EFIAPI set_cursor_position(EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *this, UINTN column, UINTN row) {
  (void)this;
  (void)column;
  (void)row;
  return EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI enable_cursor(EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *this, BOOLEAN visible) {
  (void)this;
  return visible ? EFI_SUCCESS : EFI_UNSUPPORTED;
}

EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL console_output = {
    .Reset = reset,
    .OutputString = output_string,
    .TestString = test_string,
    .QueryMode = query_mode,
    .SetMode = set_mode,
    .SetAttribute = set_attribute,
    .ClearScreen = clear_screen,
    .SetCursorPosition = set_cursor_position,
    .EnableCursor = enable_cursor,
    .Mode = &mode,
};

void console_start(void) {
  static const EFI_GUID text_output = EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL_GUID;
  out8(UART_INTERRUPT_ENABLE, 0);
  out8(UART_LINE_CONTROL, LINE_DIVISOR_ACCESS | LINE_8N1);
  out8(UART_DATA, 1);
  out8(UART_INTERRUPT_ENABLE, 0);
  out8(UART_LINE_CONTROL, LINE_8N1);
  out8(UART_FIFO_CONTROL, 0x07);
  EFI_HANDLE handle = NULL;
  install_protocol(&handle, &text_output, 0, &console_output);
  system_table->ConsoleOutHandle = system_table->StandardErrorHandle = handle;
  system_table->ConOut = system_table->StdErr = &console_output;
}
