/* Makes every flush of a process take longer, to see what a slower disk does: benches/reveal.rs preloads it.
 * FLUSH_MS is how many milliseconds longer. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static void wait(void)
{
    const char *text = getenv("FLUSH_MS");
    long ms = text ? atol(text) : 0;
    struct timespec longer = {ms / 1000, (ms % 1000) * 1000000};
    nanosleep(&longer, NULL);
}

int fsync(int file)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    wait();
    return real(file);
}

int fdatasync(int file)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    wait();
    return real(file);
}
