// Linux process functions that Swift cannot call: starting a process with its own limits, and
// finding the processes that a command has left behind.

#ifndef CPROCESS_H
#define CPROCESS_H

#include <stdint.h>
#include <sys/types.h>

/// How to start a process.
struct new_process {
    /// The paths to try for the program, in order, terminated by NULL.
    char *const *paths;
    /// Arguments and environment, each terminated by NULL.
    char *const *arguments;
    char *const *environment;
    /// The working directory, to which relative paths refer.
    const char *folder;
    /// The child's descriptors 0, 1 and 2; it inherits no others.
    int input;
    int output;
    int error;
    /// The mark; see process_each. PROCESS_UNMARKED removes an inherited mark.
    uint64_t mark;
    /// The soft limit on open files; 0 leaves the limit unchanged.
    uint64_t open_files;
    /// Whether the output is a terminal that becomes its own.
    int has_terminal;
};

/// No mark.
static const uint64_t PROCESS_UNMARKED = UINT64_MAX;

/// The stage at which starting a process failed.
enum process_stage { PROCESS_CREATE, PROCESS_MARK, PROCESS_FOLDER, PROCESS_PROGRAM };

/// Starts a process in a new session, with default signal handling.
///
/// The descriptor becomes readable when the process has exited. It is created atomically with the
/// process, so that no exit can be missed.
///
/// Returns 0, or an errno value with the stage that failed.
int process_start(
    const struct new_process *start, pid_t *process, int *descriptor, enum process_stage *stage);

/// Opens a pseudo-terminal of 80 columns that changes and echoes nothing.
///
/// Our side never blocks, and neither side is inherited by a child. Returns 0, or an errno value.
int process_open_terminal(int *ours, int *theirs);

/// Waits for a child and reaps it.
///
/// Returns the exit code, or the negated number of the signal that terminated it.
int process_wait(pid_t process);

/// Selects processes.
struct process_selection {
    /// The first mark of the range, and the one after the last.
    uint64_t first_mark;
    uint64_t end_mark;
    /// A session whose processes are included, marked or not; 0 for none.
    pid_t session;
    /// A process to exclude; 0 for none.
    pid_t except;
    /// A process group to exclude; 0 for none.
    pid_t except_group;
};

/// Finds the selected processes and sends each one a signal, unless it is 0.
///
/// A mark is the soft value of RLIMIT_LOCKS. Linux stopped enforcing that limit in 2.4.25, but
/// children still inherit it, whatever they execute and whichever session they move to.
///
/// Returns the number of processes found; stores the ids of the first `capacity` ones.
int process_each(
    const struct process_selection *selection, int signal, pid_t *found, int capacity);

/// Starts `count` threads that exist at the same time and then exit.
///
/// Returns 0, or an errno value if they cannot all be created.
int process_try_threads(int count);

/// The soft limit on open files.
uint64_t process_open_files(void);

/// Raises the soft limit on open files to the hard limit and returns the previous soft limit.
uint64_t process_raise_open_files(void);

#endif
