#include "startup.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

// MARK: The environment

static char **original_environment;

/// Variables that are read by the Swift run time, the C library and our C libraries by themselves, and that a user's image may
/// set for its own program. A name that ends in `*` stands for all that begin so.
static const char *const steering_variables[] = {
    "SWIFT_*",        // installs handlers, prints, slows down
    "OPENSSL_*",      // loads configurations, modules and engines
    "CTLOG_FILE",     // a file of OpenSSL's
    "SSLKEYLOGFILE",  // libcurl writes TLS secrets there
    "EXPAT_*",        // prints on stderr
    "GCONV_PATH",     // iconv loads modules from there
    "LIBDISPATCH_*",
};

static bool steers_us(const char *variable) {
    for (size_t index = 0; index < sizeof steering_variables / sizeof steering_variables[0]; index++) {
        const char *name = steering_variables[index];
        size_t length = strlen(name);
        if (name[length - 1] == '*') {
            if (strncmp(variable, name, length - 1) == 0) return true;
        } else if (strncmp(variable, name, length) == 0 && variable[length] == '=') {
            return true;
        }
    }
    return false;
}

/// What is said instead.
static char *const settings[] = {
    // No handlers of the Swift run time's own. It is told where its crash reporter lies, because it looks around our file for one
    // otherwise, and aborts where /proc is not mounted ("Unable to obtain Swift runtime path").
    "SWIFT_BACKTRACE=enable=no,swift-backtrace=/",
    // No configuration file: libcrypto reads the one of the image that we happen to run in, whoever has initialised it.
    "OPENSSL_CONF=",
};
enum { setting_count = sizeof settings / sizeof settings[0] };

static void hide_steering_variables(void) {
    original_environment = environ;
    size_t count = 0;
    while (environ[count] != NULL) count++;
    char **kept = malloc((count + setting_count + 1) * sizeof *kept);
    if (kept == NULL) abort();
    size_t next = 0;
    for (size_t index = 0; index < count; index++)
        if (!steers_us(environ[index])) kept[next++] = environ[index];
    for (size_t index = 0; index < setting_count; index++) kept[next++] = settings[index];
    kept[next] = NULL;
    environ = kept;
}

/// The C library takes its tunables from the environment before anything of ours runs: what matters is set back here.
static void settle_memory(void) {
    // Each thread gets a heap of its own by default, seldom given back; two are shared well enough.
    mallopt(M_ARENA_MAX, 2);
    // Blocks from 256 KiB up (buffers of the data path) go straight back to the system when freed, and the limit does not grow.
    mallopt(M_MMAP_THRESHOLD, 256 << 10);
    mallopt(M_MMAP_MAX, 65536);
    mallopt(M_TRIM_THRESHOLD, 512 << 10);
    mallopt(M_PERTURB, 0);
}

/// The Swift run time finds the command line by going back on the stack from where `environ` points to, within the bounds that
/// /proc tells; since we move `environ`, we tell it.
extern void _swift_stdlib_overrideUnsafeArgvArgc(char **arguments, int count);

/// Runs before the constructors of the Swift run time, which have the default priority. (A development build links the run time
/// as a shared library, whose constructors come first: there the variables still steer it.)
__attribute__((constructor(101))) static void prepare_process(int argument_count, char **arguments) {
    hide_steering_variables();
    _swift_stdlib_overrideUnsafeArgvArgc(arguments, argument_count);
    settle_memory();
}

char *const *argoexec_original_environment(void) { return original_environment; }

// MARK: Traps

static char message_file[4096];
static char mark_root[4096];
static char mark_file[4096];  // below the root
static char mark_file_aside[32];
static char mark_text[64];

static const struct {
    int number;
    const char *line;
} traps[] = {
    {SIGILL, "argoexec: internal error: SIGILL\n"},   {SIGTRAP, "argoexec: internal error: SIGTRAP\n"},
    {SIGSEGV, "argoexec: internal error: SIGSEGV\n"}, {SIGBUS, "argoexec: internal error: SIGBUS\n"},
    {SIGFPE, "argoexec: internal error: SIGFPE\n"},   {SIGABRT, "argoexec: internal error: SIGABRT\n"},
};

static int write_whole_file(int directory, const char *path, int flags, const char *text) {
    int descriptor =
        openat(directory, path, flags | O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW, 0644);
    if (descriptor == -1) return -1;
    ssize_t ignored = write(descriptor, text, strlen(text));
    (void)ignored;
    return close(descriptor);
}

/// Replaces the mark through no link below its root, where others may write: aside, because whoever watches must not find it empty.
static void write_mark(void) {
    if (mark_file[0] == '\0') return;
    int directory = open(mark_root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    char *name = mark_file;
    for (char *slash; directory != -1 && (slash = strchr(name, '/')) != NULL; name = slash + 1) {
        *slash = '\0';
        int inner = openat(directory, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        close(directory);
        directory = inner;
    }
    if (directory == -1) return;
    if (write_whole_file(directory, mark_file_aside, O_EXCL, mark_text) == 0)
        renameat(directory, mark_file_aside, directory, name);
    close(directory);
}

/// A name of the form that temporary files of ours have, so that one that is left is swept.
static int make_aside_name(void) {
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    unsigned char random[13];
    if (getrandom(random, sizeof random, 0) != sizeof random) return -1;
    char *end = stpcpy(mark_file_aside, ".argoexec-");
    for (size_t index = 0; index < sizeof random; index++) *end++ = digits[random[index] % 36];
    strcpy(end, ".tmp");
    return 0;
}

/// Calls only what is safe in a signal handler.
static void report_trap(int number) {
    const char *line = "argoexec: internal error\n";
    for (size_t index = 0; index < sizeof traps / sizeof traps[0]; index++)
        if (traps[index].number == number) line = traps[index].line;
    write_mark();
    if (message_file[0] != '\0') write_whole_file(AT_FDCWD, message_file, O_TRUNC, line);
    ssize_t ignored = write(STDERR_FILENO, line, strlen(line));
    (void)ignored;
    _exit(2);
}

static int keep_text(char *place, size_t capacity, const char *text) {
    if (text == NULL) text = "";
    if (strlen(text) >= capacity) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(place, text);
    return 0;
}

int argoexec_use_trap_stack(void) {
    stack_t current;
    if (sigaltstack(NULL, &current) == -1) return -1;
    if ((current.ss_flags & SS_DISABLE) == 0) return 0;
    stack_t stack = {.ss_size = (size_t)sysconf(_SC_SIGSTKSZ)};
    stack.ss_sp = malloc(stack.ss_size);
    if (stack.ss_sp == NULL) return -1;
    if (sigaltstack(&stack, NULL) == 0) return 0;
    free(stack.ss_sp);
    return -1;
}

int argoexec_install_trap_handler(
    const char *message_path, const char *mark_directory, const char *mark_path, const char *mark) {
    if (keep_text(message_file, sizeof message_file, message_path) == -1) return -1;
    if (keep_text(mark_root, sizeof mark_root, mark_directory) == -1) return -1;
    if (keep_text(mark_file, sizeof mark_file, mark_path) == -1) return -1;
    if (mark_file[0] != '\0' && make_aside_name() == -1) return -1;
    if (keep_text(mark_text, sizeof mark_text, mark) == -1) return -1;
    if (argoexec_use_trap_stack() == -1) return -1;
    // SA_RESETHAND: a second fault, inside the handler, ends the process by itself.
    struct sigaction action = {.sa_handler = report_trap, .sa_flags = SA_ONSTACK | SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    for (size_t index = 0; index < sizeof traps / sizeof traps[0]; index++)
        if (sigaction(traps[index].number, &action, NULL) == -1) return -1;
    return 0;
}
