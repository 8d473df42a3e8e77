#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4
#endif
#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

// MARK: Spawning

enum { highest_signal = 64, kernel_mask_size = highest_signal / 8 };

/// What this process was started with, recorded before anything of ours can change it.
static bool started_ignoring[highest_signal + 1];
static sigset_t started_mask;

// The C library's own functions hide the two signals that it keeps for itself (32 and 33) from a mask; the system call does not.
static long set_mask(const sigset_t *mask, sigset_t *previous) {
    return syscall(SYS_rt_sigprocmask, SIG_SETMASK, mask, previous, (size_t)kernel_mask_size);
}

static const int fault_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
enum { fault_count = sizeof fault_signals / sizeof fault_signals[0] };

/// The modes that serve signals are named first by whoever starts us in a pod.
static bool is_mode(int argument_count, char **arguments, const char *name) {
    return argument_count > 1 && strcmp(arguments[1], name) == 0;
}

/// Holds back the signals that a mode takes from a descriptor until it has one: before, they would end the process without an exit
/// code or, as process 1 of a container, be lost.
static void hold_signals(int argument_count, char **arguments) {
    sigset_t held;
    sigemptyset(&held);
    if (is_mode(argument_count, arguments, "emissary") || is_mode(argument_count, arguments, "artifact-plugin-sidecar")) {
        sigfillset(&held);
        for (int index = 0; index < fault_count; index++) sigdelset(&held, fault_signals[index]);
    } else if (is_mode(argument_count, arguments, "init") || is_mode(argument_count, arguments, "wait")) {
        sigaddset(&held, SIGTERM);
    } else {
        return;
    }
    sigprocmask(SIG_BLOCK, &held, NULL);
}

__attribute__((constructor(101))) static void record_signals(int argument_count, char **arguments) {
    set_mask(NULL, &started_mask);
    hold_signals(argument_count, arguments);
    for (int number = 1; number <= highest_signal; number++) {
        struct sigaction action;
        started_ignoring[number] = sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
    }
    // While it is ignored, the kernel keeps no child's status for us.
    if (started_ignoring[SIGCHLD]) signal(SIGCHLD, SIG_DFL);
}

struct spawn {
    const struct linux_spawn_request *request;
    int error;
    /// The process that spawns.
    pid_t parent;
};

/// Puts `source` at `target`, inheritable.
static bool place(int source, int target) {
    if (source == target) return fcntl(target, F_SETFD, 0) == 0;
    return dup2(source, target) == target;
}

/// Marks every descriptor from 3 on for being closed by exec. The child has a table of descriptors of its own.
static void close_others_on_exec(void) {
    if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
    // Before Linux 5.11, and where a filter forbids the call.
    struct rlimit limit;
    unsigned long end = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 1 << 16 ? limit.rlim_cur : 1 << 16;
    for (int number = 3; number < (int)end; number++) fcntl(number, F_SETFD, FD_CLOEXEC);
}

/// The child between clone and exec. It shares the parent's memory: it only makes system calls and writes to `spawn->error`.
static int start_child(void *argument) {
    struct spawn *spawn = argument;
    const struct linux_spawn_request *request = spawn->request;
    for (int number = 1; number <= highest_signal; number++) {
        struct sigaction action;
        if (number == SIGKILL || number == SIGSTOP || sigaction(number, NULL, &action) != 0) continue;
        void (*wanted)(int) = started_ignoring[number] ? SIG_IGN : SIG_DFL;
        if (action.sa_handler == wanted) continue;
        memset(&action, 0, sizeof action);
        action.sa_handler = wanted;
        sigaction(number, &action, NULL);
    }
    if (request->default_signals) {
        // The kernel's own structure, all zeros, and its own call: the C library hides the two signals that it keeps for itself.
        static const unsigned long standard[8];
        for (int number = 1; number <= highest_signal; number++)
            syscall(SYS_rt_sigaction, number, standard, NULL, (size_t)kernel_mask_size);
    }
    if (request->new_session && setsid() == -1) goto failed;
    if (request->new_group && !request->new_session && setpgid(0, 0) == -1) goto failed;
    if (request->group && setpgid(0, request->group) == -1) goto failed;
    if (request->death_signal) {
        if (prctl(PR_SET_PDEATHSIG, request->death_signal) == -1) goto failed;
        // A parent that was killed before has sent nothing.
        if (getppid() != spawn->parent) _exit(127);
    }

    int sources[3] = {request->standard_input, request->standard_output, request->standard_error};
    for (int index = 0; index < 3; index++) {
        // A source among 0, 1 and 2 could be overwritten before its turn.
        if (sources[index] >= 0 && sources[index] < 3 && sources[index] != index) {
            sources[index] = fcntl(sources[index], F_DUPFD_CLOEXEC, 3);
            if (sources[index] == -1) goto failed;
        }
    }
    for (int index = 0; index < 3; index++)
        if (sources[index] >= 0 && !place(sources[index], index)) goto failed;
    if (request->closes_others) close_others_on_exec();
    for (int index = 0; index < request->inherited_count; index++)
        if (fcntl(request->inherited[index], F_SETFD, 0) == -1) goto failed;
    if (request->new_session && request->controlling_terminal && ioctl(0, TIOCSCTTY, 0) == -1) goto failed;
    if (request->directory != NULL && chdir(request->directory) == -1) goto failed;
    // Of the child alone: what it shares with us is memory.
    if (request->umask != -1) umask((mode_t)request->umask);
    sigset_t none;
    memset(&none, 0, sizeof none);
    set_mask(request->default_signals ? &none : &started_mask, NULL);
    execve(request->path, request->arguments, request->environment);
failed:
    spawn->error = errno;
    _exit(127);
}

int linux_spawn(const struct linux_spawn_request *request, pid_t *child) {
    // A stack of its own: the parent's frames stay untouched while the child runs in the same memory.
    const size_t stack_size = 64 << 10;
    char *stack = mmap(NULL, stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) return errno;
    struct spawn spawn = {.request = request, .parent = getpid()};
    // No handler of ours may run in the child, where it would change the parent's memory.
    sigset_t all, previous;
    memset(&all, 0xFF, sizeof all);
    set_mask(&all, &previous);
    pid_t process = clone(start_child, stack + stack_size, CLONE_VM | CLONE_VFORK | SIGCHLD, &spawn);
    int error = process == -1 ? errno : spawn.error;
    if (process != -1 && error != 0)
        while (waitpid(process, NULL, 0) == -1 && errno == EINTR) {
        }
    set_mask(&previous, NULL);
    munmap(stack, stack_size);
    if (error == 0) *child = process;
    return error;
}

int linux_reserve_standard_descriptors(void) {
    for (int number = 0; number < 3; number++) {
        if (fcntl(number, F_GETFD) != -1) continue;
        // The lowest free number is this one, since those below are open.
        if (open("/dev/null", O_RDWR | O_CLOEXEC) != -1) continue;
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) == -1) return -1;
        if (ends[1] > 2) close(ends[1]);
    }
    return 0;
}

// MARK: Waiting

int linux_wait_exited(int status) { return WIFEXITED(status); }
int linux_wait_exit_code(int status) { return WEXITSTATUS(status); }
int linux_wait_signaled(int status) { return WIFSIGNALED(status); }
int linux_wait_signal(int status) { return WTERMSIG(status); }

int linux_pidfd_open(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0); }

// MARK: Signals

int linux_signal_descriptor(const sigset_t *signals) {
    sigset_t wanted = *signals;
    for (int index = 0; index < fault_count; index++) sigdelset(&wanted, fault_signals[index]);
    int error = pthread_sigmask(SIG_BLOCK, &wanted, NULL);
    if (error != 0) {
        errno = error;
        return -1;
    }
    return signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int fault_descriptor = -1;
static struct sigaction fault_handlers[fault_count];

static void sort_fault(int number, siginfo_t *information, void *context) {
    bool sent = information->si_code == SI_USER || information->si_code == SI_QUEUE || information->si_code == SI_TKILL;
    if (sent && information->si_pid != getpid()) {
        int error = errno;
        unsigned char byte = (unsigned char)number;
        ssize_t ignored = write(fault_descriptor, &byte, 1);
        (void)ignored;
        errno = error;
        return;
    }
    for (int index = 0; index < fault_count; index++) {
        if (fault_signals[index] != number) continue;
        const struct sigaction *before = &fault_handlers[index];
        if ((before->sa_flags & SA_SIGINFO) != 0) {
            before->sa_sigaction(number, information, context);
        } else if (before->sa_handler != SIG_DFL && before->sa_handler != SIG_IGN) {
            before->sa_handler(number);
        }
    }
    // Nobody ended the process: the default action does, when the instruction faults again or abort() raises again.
    signal(number, SIG_DFL);
}

int linux_forward_sent_faults(int descriptor) {
    fault_descriptor = descriptor;
    for (int index = 0; index < fault_count; index++) {
        struct sigaction current;
        if (sigaction(fault_signals[index], NULL, &current) == -1) return -1;
        if ((current.sa_flags & SA_SIGINFO) != 0 && current.sa_sigaction == sort_fault) continue;
        fault_handlers[index] = current;
        struct sigaction action = {.sa_sigaction = sort_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
        sigemptyset(&action.sa_mask);
        if (sigaction(fault_signals[index], &action, NULL) == -1) return -1;
    }
    return 0;
}

int linux_highest_signal(void) { return highest_signal; }

// MARK: Pipes and files

int linux_pipe(int descriptors[2]) { return pipe2(descriptors, O_CLOEXEC); }

int linux_memory_file(void) { return memfd_create("argoexec", MFD_CLOEXEC); }

int linux_set_pipe_size(int descriptor, int size) { return fcntl(descriptor, F_SETPIPE_SZ, size) == -1 ? -1 : 0; }

int linux_readable_count(int descriptor, int *count) { return ioctl(descriptor, FIONREAD, count); }

int linux_set_nonblocking(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    return flags == -1 ? -1 : fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
}

int linux_punch_hole(int descriptor, off_t offset, off_t length) {
    return fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
}

int linux_rename_new(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE); }

// MARK: Terminals

int linux_open_terminal(int *master, int *slave) {
    int ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (ours == -1) return -1;
    if (grantpt(ours) == 0 && unlockpt(ours) == 0) {
        int theirs = ioctl(ours, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (theirs == -1) {
            char name[64];
            if (ptsname_r(ours, name, sizeof name) == 0) theirs = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
        }
        if (theirs != -1) {
            *master = ours;
            *slave = theirs;
            return 0;
        }
    }
    int error = errno;
    close(ours);
    errno = error;
    return -1;
}

int linux_window_size(int terminal, int *rows, int *columns) {
    struct winsize size;
    if (ioctl(terminal, TIOCGWINSZ, &size) == -1) return -1;
    *rows = size.ws_row;
    *columns = size.ws_col;
    return 0;
}

int linux_copy_window_size(int from, int to) {
    struct winsize size;
    if (ioctl(from, TIOCGWINSZ, &size) == -1) return -1;
    return ioctl(to, TIOCSWINSZ, &size);
}

unsigned long linux_terminal_settings_size(void) { return sizeof(struct termios); }

int linux_set_raw_terminal(int terminal, void *saved) {
    struct termios settings;
    if (tcgetattr(terminal, &settings) == -1) return -1;
    memcpy(saved, &settings, sizeof settings);
    cfmakeraw(&settings);
    return tcsetattr(terminal, TCSADRAIN, &settings);
}

int linux_restore_terminal(int terminal, const void *saved) {
    struct termios settings;
    memcpy(&settings, saved, sizeof settings);
    return tcsetattr(terminal, TCSADRAIN, &settings);
}
