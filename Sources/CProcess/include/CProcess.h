// What Linux offers about processes and Swift cannot call: starting one with limits of its own,
// and finding those that a command has left behind.

#ifndef CPROCESS_H
#define CPROCESS_H

#include <stdint.h>
#include <sys/types.h>

/// What a new process gets.
struct new_process {
    /// The files to try for the program, in order, ending with NULL.
    char *const *paths;
    /// Arguments and environment, each ending with NULL.
    char *const *arguments;
    char *const *environment;
    /// Where it runs; relative paths start there.
    const char *folder;
    /// What becomes its descriptors 0, 1 and 2; it gets no others.
    int input;
    int output;
    int error;
    /// Its mark; see process_each. PROCESS_UNMARKED takes away the one that would be inherited.
    uint64_t mark;
    /// Its soft limit on open files; 0 leaves the limit as it is.
    uint64_t open_files;
    /// Whether the output is a terminal that becomes its own.
    int has_terminal;
};

/// No mark.
static const uint64_t PROCESS_UNMARKED = UINT64_MAX;

/// What failed when a process could not be started.
enum process_stage { PROCESS_CREATE, PROCESS_MARK, PROCESS_FOLDER, PROCESS_PROGRAM };

/// Starts a process in a session of its own, with default signal handling.
///
/// The descriptor becomes readable when the process has exited. Both come into being together:
/// there is no process whose end could not be noticed.
///
/// Returns 0, or an errno value with the stage that failed.
int process_start(
    const struct new_process *start, pid_t *process, int *descriptor, enum process_stage *stage);

/// Opens a pseudo-terminal of 80 columns that changes and echoes nothing.
///
/// Ours never blocks; neither side passes to a child by itself. Returns 0, or an errno value.
int process_open_terminal(int *ours, int *theirs);

/// Waits for a child and releases its number.
///
/// Returns the exit code, or the negated number of the signal that ended it.
int process_wait(pid_t process);

/// Which processes are meant.
struct process_selection {
    /// The first mark and the one after the last.
    uint64_t first_mark;
    uint64_t end_mark;
    /// A session whose processes belong to them, marked or not; 0 for none.
    pid_t session;
    /// A process that is left out; 0 for none.
    pid_t except;
};

/// Finds processes and sends each one a signal, if it is not 0.
///
/// A mark is the soft value of RLIMIT_LOCKS. Linux stopped enforcing that limit in 2.4.25, but
/// children still inherit it, whatever they execute and whichever session they move to.
///
/// Returns how many there are; stores the numbers of the first ones.
int process_each(
    const struct process_selection *selection, int signal, pid_t *found, int capacity);

/// Starts threads that end at once, all of them together.
///
/// Returns 0, or an errno value when there cannot be so many.
int process_try_threads(int count);

/// The soft limit on open files.
uint64_t process_open_files(void);

/// Raises the soft limit on open files to the hard one and returns what it was.
uint64_t process_raise_open_files(void);

#endif
