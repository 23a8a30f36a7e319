#define _DEFAULT_SOURCE /* flock */
#include "line_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

void line_file_close(line_file* file) {
  if (file->fd >= 0) close(file->fd);
  file->fd = -1;
}

/* Finds the end of the last whole line, reading backwards. -1 with errno when it cannot be read. */
static off_t end_of_lines(int fd, off_t size) {
  char piece[4096];
  while (size > 0) {
    off_t from = size > (off_t)sizeof piece ? size - (off_t)sizeof piece : 0;
    ssize_t got = pread(fd, piece, (size_t)(size - from), from);
    if (got < 0) return -1;
    for (ssize_t i = got; i > 0; --i) {
      if (piece[i - 1] == '\n') return from + i;
    }
    size = from;
  }
  return 0;
}

static int prepare(int fd) {
  struct stat now;
  if (flock(fd, LOCK_EX | LOCK_NB) != 0 || fstat(fd, &now) != 0) return errno;
  off_t end = end_of_lines(fd, now.st_size);
  if (end < 0 || (end < now.st_size && ftruncate(fd, end) != 0)) return errno;
  return 0;
}

/* A new file survives a power cut only when its folder has its name on the disk. */
static int sync_folder(const char* path) {
  char folder[PATH_MAX];
  if (strlen(path) >= sizeof folder) return ENAMETOOLONG;
  strcpy(folder, path);
  int fd = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno;
  int failed = fsync(fd) != 0 ? errno : 0;
  close(fd);
  return failed;
}

int line_file_open(line_file* file) {
  int fd = open(file->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return errno;
  int failed = prepare(fd);
  if (failed == 0 && file->sync) failed = sync_folder(file->path);
  if (failed != 0) {
    close(fd);
    return failed;
  }
  file->fd = fd;
  return 0;
}

/* Whether the name still leads to what is open: a log rotation renames the file. */
static bool is_current(const line_file* file) {
  struct stat named, opened;
  return stat(file->path, &named) == 0 && fstat(file->fd, &opened) == 0 && named.st_dev == opened.st_dev &&
         named.st_ino == opened.st_ino;
}

static int write_all(const line_file* file, const char* lines, size_t size) {
  while (size > 0) {
    ssize_t written = write(file->fd, lines, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    lines += written;
    size -= (size_t)written;
  }
  return file->sync && fdatasync(file->fd) != 0 ? errno : 0;
}

int line_file_append(line_file* file, const char* lines, size_t size) {
  if (file->fd >= 0 && !is_current(file)) line_file_close(file);
  if (file->fd < 0) {
    int failed = line_file_open(file);
    if (failed != 0) return failed;
  }
  struct stat before;
  if (fstat(file->fd, &before) != 0) return errno;
  int failed = write_all(file, lines, size);
  if (failed != 0) {
    /* After a failed sync nobody knows what the disk has: begin with a fresh descriptor. */
    if (ftruncate(file->fd, before.st_size) != 0) failed = errno;
    line_file_close(file);
  }
  return failed;
}
