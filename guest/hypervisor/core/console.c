// The serial console (16550 at COM1) and printk.
#include "hypervisor.h"
#include "port-io.h"
#include <stdarg.h>

#define UART_DIVISOR_LOW (PORT_SERIAL + 0)
#define UART_INTERRUPTS (PORT_SERIAL + 1)
#define UART_FIFO (PORT_SERIAL + 2)
#define UART_LINE (PORT_SERIAL + 3)
#define UART_MODEM (PORT_SERIAL + 4)
#define UART_STATUS (PORT_SERIAL + 5)
#define UART_READY 0x01
#define UART_EMPTY 0x20
#define LINE_8N1 0x03
#define LINE_DIVISOR 0x80

void console_start(void) {
  out8(UART_INTERRUPTS, 0);
  out8(UART_LINE, LINE_DIVISOR | LINE_8N1);
  out8(UART_DIVISOR_LOW, 1);
  out8(UART_INTERRUPTS, 0);
  out8(UART_LINE, LINE_8N1);
  out8(UART_FIFO, 7);
  out8(UART_MODEM, 3);
}

static void put(char character) {
  while (!(in8(UART_STATUS) & UART_EMPTY)) continue;
  out8(PORT_SERIAL, (UINT8)character);
}

void console_write(const char *text, UINTN length) {
  for (UINTN i = 0; i < length; i++) {
    if (text[i] == '\n') put('\r');
    put(text[i]);
  }
}

UINTN console_read(char *to, UINTN capacity) {
  UINTN count = 0;
  while (count < capacity && in8(UART_STATUS) & UART_READY) to[count++] = (char)in8(PORT_SERIAL);
  return count;
}

static void put_number(UINT64 value, UINTN base, UINTN width, char fill) {
  char digits[24];
  UINTN count = 0;
  do digits[count++] = "0123456789abcdef"[value % base];
  while (value /= base);
  while (width > count) {
    console_write(&fill, 1);
    width--;
  }
  while (count) console_write(&digits[--count], 1);
}

static void put_text(const char *text) {
  while (*text) console_write(text++, 1);
}

static void vprintk(const char *format, va_list arguments) {
  put_text("(XEN) ");
  for (; *format; format++) {
    if (*format != '%') {
      console_write(format, 1);
      continue;
    }
    char fill = ' ';
    UINTN width = 0;
    bool is_long = false;
    if (*++format == '0') fill = *format++;
    for (; *format >= '0' && *format <= '9'; format++) width = width * 10 + (UINTN)(*format - '0');
    // On this target `long` has 32 bits; 64 are `ll`.
    while (*format == 'l') {
      is_long = true;
      format++;
    }
    switch (*format) {
      case 's':
        put_text(va_arg(arguments, const char *));
        break;
      case 'c': {
        char character = (char)va_arg(arguments, int);
        console_write(&character, 1);
        break;
      }
      case 'u':
      case 'x':
        put_number(is_long ? va_arg(arguments, UINT64) : va_arg(arguments, UINT32), *format == 'x' ? 16 : 10, width, fill);
        break;
      default:
        console_write(format, 1);
    }
  }
  put_text("\n");
}

void printk(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vprintk(format, arguments);
  va_end(arguments);
}

_Noreturn void panic(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  printk("%s", "");
  printk("****************************************");
  printk("Panic on CPU 0:");
  vprintk(format, arguments);
  printk("****************************************");
  printk("%s", "");
  va_end(arguments);
  restart_unless_forbidden();
}
