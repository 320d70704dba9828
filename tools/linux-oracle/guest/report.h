// What the guest says: one JSON object a line, over a debug port that neither firmware nor kernel know of.
#pragma once
#include <stddef.h>
#include <stdint.h>

/** Opens the port; everything below writes to it. */
void report_open(void);
/** Ends the line that was built, and begins the next. */
void report_line(void);

void report_object(void);
void report_object_end(void);
void report_array(const char *name);
void report_array_end(void);

/** Members of an object, or elements of an array where `name` is NULL. Text is taken byte by byte, as Latin-1. */
void report_text(const char *name, const char *text, size_t length);
void report_string(const char *name, const char *text);
void report_bytes(const char *name, const uint8_t *bytes, size_t length);
void report_number(const char *name, int64_t value);
void report_flag(const char *name, int value);
/** `errno` by its name, as member "errno". */
void report_errno(int error);

/** A measured command says when it begins, on a line of its own, for whoever has another clock. */
void report_begins(void);
void report_ended(int64_t rounds, int64_t nanoseconds);
