// The commands of the script that the guest is given.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define MAX_ARGUMENTS 10
/** The number of words is the command's own business. */
#define ANY_COUNT -1

/** Performs a command and reports members of one object. `arguments` are the words after the command's name. */
typedef void Command(int count, char *const *arguments);

/** The bytes of `0102`, of `aa*1000` (a thousand of the same) or of `-` (none), at most `room`; returns how many. */
size_t parse_bytes(const char *text, uint8_t *to, size_t room);

// files.c
Command show_text, show_tree, show_kernel_log;
// variables.c
Command list_variables, write_variable, write_file, read_variable, delete_variable, protect_variable, show_space, remount;
// clock.c
Command read_clock, set_clock, read_alarm, set_alarm;
// speed.c
Command measure_reads, measure_same_writes, measure_changing_writes;
// capsule.c
Command load_capsule;
// restart.c
Command restart, power_off;
// services.c
Command call_service;
