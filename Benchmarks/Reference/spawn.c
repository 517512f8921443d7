// Runs a program repeatedly with posix_spawn and wait4, discarding its output.

#include "reference.h"

#include <fcntl.h>
#include <errno.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

extern char **environ;

static int64_t cpu(const struct rusage *usage) {
    return (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * INT64_C(1000000000)
        + (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * INT64_C(1000);
}

static struct cost run(char **program, const posix_spawn_file_actions_t *actions) {
    int64_t start = now();
    pid_t pid;
    int code = posix_spawnp(&pid, program[0], actions, NULL, program, environ);
    if (code != 0) {
        errno = code;
        fail(program[0]);
    }
    int status;
    struct rusage usage;
    if (wait4(pid, &status, 0, &usage) < 0) fail("wait4");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        errno = ECHILD;
        fail(program[0]);
    }
    return (struct cost){now() - start, cpu(&usage), usage.ru_maxrss * INT64_C(1024)};
}

int spawn(int count, char **program, int tells_each) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    struct cost sum = {0, 0, 0};
    for (int index = 0; index < count; index++) {
        struct cost cost = run(program, &actions);
        if (tells_each) print_cost(cost);
        sum.nanoseconds += cost.nanoseconds;
        sum.cpu_nanoseconds += cost.cpu_nanoseconds;
    }
    if (!tells_each) print_cost(sum);
    return 0;
}
