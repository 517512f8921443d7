#pragma once

#include <stdint.h>

/// What a piece of work cost.
struct cost {
    int64_t nanoseconds;
    int64_t cpu_nanoseconds;
    /// The most memory resident at once, 0 when nobody looked.
    int64_t resident_bytes;
};

/// The time since the system started.
int64_t now(void);

/// Prints a cost as a line of three numbers.
void print_cost(struct cost cost);

/// Ends the program with the reason of the last call that failed.
_Noreturn void fail(const char *what);

/// Serves HTTP on 127.0.0.1 until standard input ends; see receive.c.
int receive(void);
/// Posts by libcurl's multi interface; see post.c.
int post(const char *url, int count, int byte_count, int in_flight);
/// Runs a program again and again, and tells what it costs; see spawn.c.
int spawn(int count, char **program, int tells_each);
