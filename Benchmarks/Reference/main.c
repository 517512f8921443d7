// The programs that Buildmaster is benchmarked against or with, each a subcommand.

#include "reference.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

void print_cost(struct cost cost) {
    printf("%lld %lld %lld\n", (long long)cost.nanoseconds, (long long)cost.cpu_nanoseconds,
           (long long)cost.resident_bytes);
    fflush(stdout);
}

void fail(const char *what) {
    fprintf(stderr, "Reference: %s: %s\n", what, strerror(errno));
    exit(1);
}

int main(int count, char **arguments) {
    const char *name = count > 1 ? arguments[1] : "";
    if (strcmp(name, "receive") == 0) return receive();
    if (strcmp(name, "post") == 0 && count == 6)
        return post(arguments[2], atoi(arguments[3]), atoi(arguments[4]), atoi(arguments[5]));
    if (strcmp(name, "spawn") == 0 && count > 3)
        return spawn(atoi(arguments[2]), arguments + 3, 0);
    if (strcmp(name, "time") == 0 && count > 3)
        return spawn(atoi(arguments[2]), arguments + 3, 1);
    fprintf(stderr, "Reference receive | post URL COUNT BYTES IN-FLIGHT | "
                    "spawn COUNT PROGRAM… | time COUNT PROGRAM…\n");
    return 2;
}
