#pragma once
// Calls on files that Glibc's Swift module hides, and those that need a macro or a variadic call. Each answers as the system
// call does: -1 and errno on failure. No system header is included but those of plain types: under _GNU_SOURCE they would
// define the same structures otherwise than Glibc's and Dispatch's own modules do.
#include <stddef.h>
#include <stdint.h>

/// `resolve` bits of openat2, as in linux/openat2.h.
enum {
  LINUX_RESOLVE_NO_MAGICLINKS = 0x02,
  LINUX_RESOLVE_NO_SYMLINKS = 0x04,
  LINUX_RESOLVE_BENEATH = 0x08,
  LINUX_RESOLVE_IN_ROOT = 0x10,
};

/// openat2(2), Linux 5.6; ENOSYS or, under an old seccomp profile, EPERM where it is missing.
int linux_openat2(int directory, const char *path, int flags, uint32_t mode, uint64_t resolve);

/// Changes the mode of what `name` itself is, never of what a symbolic link points to (EOPNOTSUPP for a link).
int linux_chmod_nofollow(int directory, const char *name, uint32_t mode);

/// copy_file_range(2) at the current offsets of both files.
int64_t linux_copy_file_range(int source, int target, size_t length);

/// Makes the whole target share the blocks of the source (FICLONE).
int linux_clone_file(int source, int target);

/// Flags that Glibc's module does not show.
int linux_o_path(void);
int linux_at_empty_path(void);

/// The halves of a device number.
uint32_t linux_device_major(uint64_t device);
uint32_t linux_device_minor(uint64_t device);

/// The next hole or data in a file, for `lseek`.
int linux_seek_data(void);
int linux_seek_hole(void);

/// Extended attributes of an open file.
int64_t linux_flistxattr(int file, char *names, size_t size);
int64_t linux_fgetxattr(int file, const char *name, void *value, size_t size);
int linux_fsetxattr(int file, const char *name, const void *value, size_t size);
