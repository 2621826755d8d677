/* Kills its own process at the N-th step of what it does to files, as `kill -9` would: support/dies.rs preloads it.
 *
 * A step is a flush, a new name, a name or an end of a file that is taken away, or the first of a run of writes to one file. Killing before
 * each of them in turn leaves every state of the files that one flush, name or commit can tell from another.
 *
 * DIE_AT is N, DIE_BELOW the directory whose files count. With DIE_ONCE nothing counts before that file is there. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long steps;
/* The file that the last step wrote to; -1 after any other step. */
static int writing = -1;

static int counts(const char *path)
{
    const char *below = getenv("DIE_BELOW");
    const char *once = getenv("DIE_ONCE");
    return below && strncmp(path, below, strlen(below)) == 0 && (!once || access(once, F_OK) == 0);
}

static void step(int written, const char *path)
{
    if (!counts(path))
        return;
    pthread_mutex_lock(&lock);
    if (written < 0 || written != writing) {
        writing = written;
        steps += 1;
        const char *at = getenv("DIE_AT");
        if (at && steps == atol(at))
            kill(getpid(), SIGKILL);
    }
    pthread_mutex_unlock(&lock);
}

static void step_of_file(int file, int written)
{
    char link[32], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length > 0) {
        path[length] = 0;
        step(written, path);
    }
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int fsync(int file)
{
    step_of_file(file, -1);
    return REAL(fsync)(file);
}

int fdatasync(int file)
{
    step_of_file(file, -1);
    return REAL(fdatasync)(file);
}

int ftruncate64(int file, off64_t length)
{
    step_of_file(file, -1);
    return REAL(ftruncate64)(file, length);
}

int ftruncate(int file, off_t length)
{
    step_of_file(file, -1);
    return REAL(ftruncate)(file, length);
}

ssize_t write(int file, const void *bytes, size_t length)
{
    step_of_file(file, file);
    return REAL(write)(file, bytes, length);
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t at)
{
    step_of_file(file, file);
    return REAL(pwrite)(file, bytes, length, at);
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t at)
{
    step_of_file(file, file);
    return REAL(pwrite64)(file, bytes, length, at);
}

int unlink(const char *path)
{
    step(-1, path);
    return REAL(unlink)(path);
}

int rename(const char *from, const char *to)
{
    step(-1, to);
    return REAL(rename)(from, to);
}

int mkdir(const char *path, mode_t mode)
{
    step(-1, path);
    return REAL(mkdir)(path, mode);
}
