#pragma once

#include <stdint.h>

/// The cost of a piece of work.
struct cost {
    int64_t nanoseconds;
    int64_t cpu_nanoseconds;
    /// The peak resident memory; 0 if not measured.
    int64_t resident_bytes;
};

/// The time since the system started.
int64_t now(void);

/// Prints a cost as a line of three numbers.
void print_cost(struct cost cost);

/// Exits with the error of the last failed call.
_Noreturn void fail(const char *what);

/// Serves HTTP on 127.0.0.1 until standard input ends; see receive.c.
int receive(void);
/// Sends POSTs with libcurl's multi interface; see post.c.
int post(const char *url, int count, int byte_count, int in_flight);
/// Runs a program repeatedly and prints the cost; see spawn.c.
int spawn(int count, char **program, int tells_each);
