#pragma once
#include "scope.h"
// Starting threads where a container engine's old seccomp profile forbids the way in which the C library does it.

/// Makes the system answer `clone3` with ENOSYS to the calling thread and to all threads and processes that it starts from now
/// on.
///
/// Profiles from before Linux 5.3 was known to them answer it with EPERM. The C library, which starts threads by it, takes that
/// for an answer, and goes back to `clone` only where the call is unknown. To be used only where a thread could not be started
/// so:
///
/// - It is a filter (seccomp) of our own, which nothing can take away again. Who inherits it loses nothing by it, since the call
///   failed before as well.
/// - Without CAP_SYS_ADMIN it takes `no_new_privs`: programs that are started later get no rights by their setuid bit.
///
/// Answers 0, or -1 and errno where the system allows no filter.
int linux_hide_clone3(void);
