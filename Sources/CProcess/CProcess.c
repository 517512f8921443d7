#include "CProcess.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif

/// State shared between the child and the thread that starts it, until the program is executed.
struct shared {
    const struct new_process *start;
    enum process_stage stage;
    int error;
};

static void fail(struct shared *shared, enum process_stage stage, int error) {
    shared->stage = stage;
    shared->error = error;
    _exit(127);
}

static int set_soft_limit(int resource, uint64_t value) {
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0) return errno;
    limit.rlim_cur = value == PROCESS_UNMARKED ? limit.rlim_max : value;
    return setrlimit(resource, &limit) == 0 ? 0 : errno;
}

static void reset_signals(void) {
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/// Returns a duplicate of a descriptor that is not overwritten when 0, 1 and 2 are replaced.
static int above_streams(int descriptor) {
    return descriptor > 2 ? descriptor : fcntl(descriptor, F_DUPFD, 3);
}

static void close_others(void) {
    if (syscall(SYS_close_range, 3U, ~0U, 0U) == 0) return;
    // Linux before 5.9. The master's own descriptors are close-on-exec anyway.
    for (int descriptor = 3; descriptor < 4096; descriptor++) close(descriptor);
}

/// Runs in the child, which shares the memory of its parent: system calls only.
static int begin(void *argument) {
    struct shared *shared = argument;
    const struct new_process *start = shared->start;
    setsid();
    int error = set_soft_limit(RLIMIT_LOCKS, start->mark);
    if (error == 0 && start->open_files > 0) {
        error = set_soft_limit(RLIMIT_NOFILE, start->open_files);
    }
    if (error != 0) fail(shared, PROCESS_MARK, error);
    int input = above_streams(start->input);
    int output = above_streams(start->output);
    int errors = above_streams(start->error);
    if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(errors, 2) < 0) {
        fail(shared, PROCESS_CREATE, errno);
    }
    if (start->has_terminal && ioctl(1, TIOCSCTTY, 0) != 0) fail(shared, PROCESS_CREATE, errno);
    close_others();
    if (chdir(start->folder) != 0) fail(shared, PROCESS_FOLDER, errno);
    reset_signals();
    int refused = 0;
    for (char *const *path = start->paths; *path != NULL; path++) {
        execve(*path, start->arguments, start->environment);
        if (errno == EACCES) refused = EACCES;
        if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) {
            fail(shared, PROCESS_PROGRAM, errno);
        }
    }
    fail(shared, PROCESS_PROGRAM, refused != 0 ? refused : ENOENT);
    return 127;
}

int process_start(
    const struct new_process *start, pid_t *process, int *descriptor, enum process_stage *stage
) {
    char stack[32 << 10] __attribute__((aligned(16)));
    struct shared shared = {start, PROCESS_CREATE, 0};
    sigset_t all, before;
    sigfillset(&all);
    // No signal handler may run in the child while it shares this process's memory.
    pthread_sigmask(SIG_SETMASK, &all, &before);
    // The calling thread is suspended until the child executes the program or exits.
    pid_t child = clone(
        begin, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &shared,
        descriptor);
    int error = child < 0 ? errno : shared.error;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    *stage = shared.stage;
    if (child >= 0 && error != 0) {
        close(*descriptor);
        process_wait(child);
    }
    *process = child;
    return error;
}

int process_open_terminal(int *ours, int *theirs) {
    char name[128];
    struct termios modes;
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    *theirs = -1;
    *ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (*ours < 0) return errno;
    if (grantpt(*ours) == 0 && unlockpt(*ours) == 0
        && ptsname_r(*ours, name, sizeof name) == 0
        && (*theirs = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)) >= 0
        && tcgetattr(*theirs, &modes) == 0) {
        modes.c_oflag &= ~ONLCR;
        modes.c_lflag &= ~ECHO;
        if (tcsetattr(*theirs, TCSANOW, &modes) == 0 && ioctl(*theirs, TIOCSWINSZ, &size) == 0
            && fcntl(*ours, F_SETFL, O_NONBLOCK) == 0) {
            return 0;
        }
    }
    int error = errno;
    if (*theirs >= 0) close(*theirs);
    close(*ours);
    return error;
}

int process_wait(pid_t process) {
    int status;
    while (waitpid(process, &status, 0) < 0) {
        if (errno != EINTR) return -SIGKILL;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int is_meant(const struct process_selection *selection, pid_t process) {
    if (process == selection->except) return 0;
    if (selection->except_group > 0 && getpgid(process) == selection->except_group) return 0;
    struct rlimit limit;
    if (prlimit(process, RLIMIT_LOCKS, NULL, &limit) == 0
        && limit.rlim_cur >= selection->first_mark && limit.rlim_cur < selection->end_mark) {
        return 1;
    }
    return selection->session > 0 && getsid(process) == selection->session;
}

int process_each(
    const struct process_selection *selection, int signal, pid_t *found, int capacity
) {
    DIR *processes = opendir("/proc");
    if (processes == NULL) return 0;
    int count = 0;
    struct dirent *entry;
    while ((entry = readdir(processes)) != NULL) {
        pid_t process = (pid_t)strtol(entry->d_name, NULL, 10);
        if (process <= 1 || !is_meant(selection, process)) continue;
        if (count < capacity) found[count] = process;
        if (signal != 0) kill(process, signal);
        count++;
    }
    closedir(processes);
    return count;
}

static void *wait_for_end(void *mutex) {
    pthread_mutex_lock(mutex);
    pthread_mutex_unlock(mutex);
    return NULL;
}

int process_try_threads(int count) {
    pthread_t threads[count];
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&mutex);
    int started = 0;
    int error = 0;
    while (started < count && error == 0) {
        error = pthread_create(&threads[started], NULL, wait_for_end, &mutex);
        if (error == 0) started++;
    }
    pthread_mutex_unlock(&mutex);
    for (int index = 0; index < started; index++) pthread_join(threads[index], NULL);
    return error;
}

uint64_t process_open_files(void) {
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

uint64_t process_raise_open_files(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    uint64_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return before;
}
