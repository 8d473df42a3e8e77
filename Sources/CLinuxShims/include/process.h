#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
// Processes, signals, waiting, pipes and terminals: what Glibc's Swift module hides, and macros and variadic calls as functions.
// Each answers as the system call does (-1 and errno) unless it says otherwise. Every descriptor made here is close-on-exec.
#include <signal.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/types.h>

/// How a program is to be started by `linux_spawn`.
struct linux_spawn_request {
  /// The program's file; PATH is not searched.
  const char *_Nonnull path;
  /// Words, the program's own name first, ended by NULL.
  char *const _Nullable *_Nonnull arguments;
  /// `NAME=value` words, ended by NULL.
  char *const _Nullable *_Nonnull environment;
  /// The child's working directory; NULL for ours.
  const char *_Nullable directory;
  /// What becomes the child's descriptors 0, 1 and 2; -1 for ours.
  int standard_input, standard_output, standard_error;
  /// Not 0: the child leads a process group of its own.
  int new_group;
  /// Not 0: the child joins this process group of our session.
  pid_t group;
  /// Not 0: the child leads a session of its own (and with it a group).
  int new_session;
  /// Not 0, with `new_session`: the child's descriptor 0 becomes its controlling terminal.
  int controlling_terminal;
  /// Not 0: this signal is sent to the child when the thread that started it ends (PR_SET_PDEATHSIG).
  int death_signal;
  /// Descriptors from 3 on that the child gets under the same numbers.
  const int *_Nullable inherited;
  int inherited_count;
  /// Not 0: the child blocks and ignores no signals, whatever this process was started with.
  int default_signals;
  /// Not 0: the child gets none of the other descriptors from 3 on, not even those that we were ourselves started with.
  int closes_others;
  /// The child's umask; -1 for ours.
  int umask;
};

/// Starts a program and answers 0 once it is running, or the error number of the step that failed, execve included.
///
/// The child gets the signal mask and the ignored signals that this process was itself started with, whatever was changed since.
/// Uses vfork's kind of clone, which works where clone3 is forbidden. Safe with several threads.
int linux_spawn(const struct linux_spawn_request *_Nonnull request, pid_t *_Nonnull child);

/// Opens /dev/null (or a pipe's dead end where there is none) on those of the descriptors 0, 1 and 2 that are closed, so that no
/// file of ours gets such a number; a child still finds them closed.
int linux_reserve_standard_descriptors(void);

// The parts of a wait status.
int linux_wait_exited(int status);
int linux_wait_exit_code(int status);
int linux_wait_signaled(int status);
int linux_wait_signal(int status);

/// pidfd_open(2), Linux 5.3; ENOSYS or, under an old seccomp profile, EPERM where it is missing.
int linux_pidfd_open(pid_t process);

/// A descriptor from which the given signals can be read; they are blocked in the calling thread.
int linux_signal_descriptor(const sigset_t *_Nonnull signals);

/// Signals of faults (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS) are never blocked, lest a fault of our own find no
/// handler. From now on one that another process sent is written to `descriptor` as a single byte, its number; a fault of our
/// own goes to the handler that was there before.
int linux_forward_sent_faults(int descriptor);

/// A pipe: descriptors [0] for reading, [1] for writing.
int linux_pipe(int descriptors[_Nonnull 2]);

/// A file in memory, without a name.
int linux_memory_file(void);

/// Asks for a larger pipe; the kernel may refuse.
int linux_set_pipe_size(int descriptor, int size);

/// How many bytes can be read from a pipe or terminal at once.
int linux_readable_count(int descriptor, int *_Nonnull count);

/// Adds O_NONBLOCK to an open file description.
int linux_set_nonblocking(int descriptor);

/// Frees the blocks of a range of a file, which then reads as zeros; the file keeps its size.
int linux_punch_hole(int descriptor, off_t offset, off_t length);

/// renameat2(2) with RENAME_NOREPLACE: EEXIST where the target exists.
int linux_rename_new(const char *_Nonnull from, const char *_Nonnull to);

/// A pseudo-terminal: our side and the child's.
int linux_open_terminal(int *_Nonnull master, int *_Nonnull slave);

/// Gives one terminal the size of another.
int linux_copy_window_size(int from, int to);

/// The size of a terminal in characters.
int linux_window_size(int terminal, int *_Nonnull rows, int *_Nonnull columns);

/// Puts a terminal into raw mode; `saved` (at least `linux_terminal_settings_size` bytes) takes what `linux_restore_terminal` needs.
int linux_set_raw_terminal(int terminal, void *_Nonnull saved);
int linux_restore_terminal(int terminal, const void *_Nonnull saved);
unsigned long linux_terminal_settings_size(void);

/// SIGRTMAX: the highest signal number.
int linux_highest_signal(void);
