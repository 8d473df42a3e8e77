#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

struct how {
  uint64_t flags;
  uint64_t mode;
  uint64_t resolve;
};

int linux_openat2(int directory, const char *path, int flags, uint32_t mode, uint64_t resolve) {
  struct how how = {
      .flags = (uint64_t)(unsigned)flags,
      .mode = (flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) ? mode & 07777 : 0,
      .resolve = resolve,
  };
  return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

int linux_chmod_nofollow(int directory, const char *name, uint32_t mode) {
  if (syscall(SYS_fchmodat2, directory, name, mode, AT_SYMLINK_NOFOLLOW) == 0) return 0;
  if (errno != ENOSYS && errno != EPERM) return -1;
  // Before Linux 6.6: by the magic link of an O_PATH descriptor, or, where /proc is not mounted, by an open file.
  int file = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (file == -1) return -1;
  struct stat status;
  int result = fstat(file, &status);
  if (result == 0 && S_ISLNK(status.st_mode)) {
    errno = EOPNOTSUPP;
    result = -1;
  } else if (result == 0) {
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    result = chmod(link, mode);
    if (result == -1 && (errno == ENOENT || errno == ENOTDIR)) {
      int open = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
      if (open != -1) {
        result = fchmod(open, mode);
        int code = errno;
        close(open);
        errno = code;
      }
    }
  }
  int code = errno;
  close(file);
  errno = code;
  return result;
}

int64_t linux_copy_file_range(int source, int target, size_t length) {
  return copy_file_range(source, NULL, target, NULL, length, 0);
}

int linux_clone_file(int source, int target) { return ioctl(target, FICLONE, source); }

int linux_o_path(void) { return O_PATH; }
int linux_at_empty_path(void) { return AT_EMPTY_PATH; }

uint32_t linux_device_major(uint64_t device) { return major(device); }
uint32_t linux_device_minor(uint64_t device) { return minor(device); }

int linux_seek_data(void) { return SEEK_DATA; }
int linux_seek_hole(void) { return SEEK_HOLE; }

int64_t linux_flistxattr(int file, char *names, size_t size) { return flistxattr(file, names, size); }

int64_t linux_fgetxattr(int file, const char *name, void *value, size_t size) {
  return fgetxattr(file, name, value, size);
}

int linux_fsetxattr(int file, const char *name, const void *value, size_t size) {
  return fsetxattr(file, name, value, size, 0);
}
