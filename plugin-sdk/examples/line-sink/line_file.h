/* The file that lines are appended to: what is in it are whole lines, whatever happens while one is written. */
#ifndef LINE_FILE_H
#define LINE_FILE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct line_file {
  const char* path; /* not owned */
  bool sync;
  int fd;           /* -1 when it is not open */
} line_file;

/* Opens (makes) the file, locks it for this process, and cuts off what stands behind the last newline. 0, or an errno;
 * EWOULDBLOCK when another process or instance writes to it. */
int line_file_open(line_file* file);

/* Appends lines, all or nothing, and with `sync` onto the disk. Opens the file when it is closed, and again when it was
 * renamed. 0, or an errno; the file is as it was, or closed. */
int line_file_append(line_file* file, const char* lines, size_t size);

void line_file_close(line_file* file);

#endif
