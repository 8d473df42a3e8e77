/// What has to happen before `main`, and what has to work when nothing else does any more.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

/// The environment that this process was started with: every variable in its original order, ended by NULL. `environ` lacks the
/// variables that would steer our own libraries, and holds some for them (see startup.c): every child is given this one instead.
char *const _Nullable *_Nonnull argoexec_original_environment(void);

/// Makes a fault or a trap of our own (SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT) end the process with exit code 2 after
/// one line, `argoexec: internal error: SIGSEGV`, on stderr and in the file at `message_path`.
///
/// Where `mark_path` is given, that file below `mark_directory` is replaced by one that holds `mark` first; no link below that
/// directory is followed. The file at `message_path` is created if need be and truncated. What cannot be written is passed over;
/// NULL leaves a file out. The texts are copied; a second call replaces the first one's. Answers 0, or -1 with errno (ENAMETOOLONG:
/// a path of more than 4095 bytes or a mark of more than 63).
int argoexec_install_trap_handler(
    const char *_Nullable message_path, const char *_Nullable mark_directory, const char *_Nullable mark_path,
    const char *_Nullable mark);

/// Gives the calling thread a stack of its own for the trap handler, so that its running out of stack is reported too. Called
/// once for the main thread by `argoexec_install_trap_handler`. Answers 0, or -1 with errno.
int argoexec_use_trap_stack(void);
