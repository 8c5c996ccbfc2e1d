/* Counts calls of C library functions that a signal-safe walk must not make. Preloaded into the process of `stress contract`, so that
 * calls of libpython come by, too; calls within the C library do not.
 *
 * Counting is of the calling thread and between two calls of sigwalk_interpose_arm, so that no other thread's and no other moment's
 * calls are counted. Nothing here allocates or locks. The memory functions go on to glibc's own names, because dlsym, with which
 * the others are found, may itself allocate. dlsym is not counted: it asks who calls it, and would hear of us.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

/* name, kind of violation */
#define FUNCTIONS(X)                                                                                                   \
    X(malloc, allocation) X(calloc, allocation) X(realloc, allocation) X(free, allocation)                             \
    X(memalign, allocation) X(aligned_alloc, allocation) X(posix_memalign, allocation)                                 \
    X(mmap, allocation) X(munmap, allocation)                                                                          \
    X(pthread_mutex_lock, lock) X(pthread_mutex_trylock, lock) X(pthread_mutex_unlock, lock)                           \
    X(pthread_cond_wait, lock) X(pthread_cond_timedwait, lock) X(pthread_cond_signal, lock)                            \
    X(pthread_cond_broadcast, lock) X(pthread_rwlock_rdlock, lock) X(pthread_rwlock_wrlock, lock)                      \
    X(pthread_rwlock_unlock, lock) X(sem_wait, lock) X(sem_trywait, lock) X(sem_timedwait, lock)                       \
    X(sem_clockwait, lock) X(sem_post, lock)                                                                           \
    X(pthread_once, thread) X(pthread_create, thread) X(pthread_getspecific, thread) X(pthread_setspecific, thread)    \
    X(pthread_key_create, thread) X(pthread_getattr_np, thread)                                                        \
    X(dlopen, linker) X(dlclose, linker) X(dladdr, linker) X(dl_iterate_phdr, linker)                 \
    X(__tls_get_addr, linker)                                                                                          \
    X(vsnprintf, stdio) X(vfprintf, stdio) X(fwrite, stdio) X(fputs, stdio) X(fflush, stdio)

enum function {
#define X(name, kind) F_##name,
    FUNCTIONS(X)
#undef X
    COUNT
};

struct sigwalk_interposed {
    const char *name;
    const char *kind;
    uint64_t calls;
};

struct sigwalk_interposed sigwalk_interposed[COUNT + 1] = {
#define X(name, kind) {#name, #kind, 0},
    FUNCTIONS(X)
#undef X
    {0},
};

static __thread int armed __attribute__((tls_model("initial-exec")));
static void *next[COUNT];

void
sigwalk_interpose_arm(int on)
{
    armed = on;
}

static inline void
count(enum function function)
{
    if (armed) {
        sigwalk_interposed[function].calls++;
    }
}

/* At start, and for whoever calls before that. */
__attribute__((constructor)) static void
find(void)
{
#define X(name, kind) next[F_##name] = dlsym(RTLD_NEXT, #name);
    FUNCTIONS(X)
#undef X
}

static inline void *
real(enum function function)
{
    if (next[function] == NULL) {
        find();
    }
    return next[function];
}

#define PASS(type, name, parameters, arguments)                                                                        \
    type name parameters                                                                                               \
    {                                                                                                                  \
        count(F_##name);                                                                                               \
        return ((type(*) parameters)real(F_##name)) arguments;                                                         \
    }

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

void *malloc(size_t size) { count(F_malloc); return __libc_malloc(size); }
void *calloc(size_t many, size_t size) { count(F_calloc); return __libc_calloc(many, size); }
void *realloc(void *block, size_t size) { count(F_realloc); return __libc_realloc(block, size); }
void *memalign(size_t to, size_t size) { count(F_memalign); return __libc_memalign(to, size); }
void *aligned_alloc(size_t to, size_t size) { count(F_aligned_alloc); return __libc_memalign(to, size); }
void free(void *block) { count(F_free); __libc_free(block); }
PASS(int, posix_memalign, (void **block, size_t to, size_t size), (block, to, size))
PASS(void *, mmap, (void *at, size_t size, int rights, int flags, int file, off_t offset), (at, size, rights, flags, file, offset))
PASS(int, munmap, (void *at, size_t size), (at, size))

PASS(int, pthread_mutex_lock, (pthread_mutex_t *lock), (lock))
PASS(int, pthread_mutex_trylock, (pthread_mutex_t *lock), (lock))
PASS(int, pthread_mutex_unlock, (pthread_mutex_t *lock), (lock))
PASS(int, pthread_cond_wait, (pthread_cond_t *cond, pthread_mutex_t *lock), (cond, lock))
PASS(int, pthread_cond_timedwait, (pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *until), (cond, lock, until))
PASS(int, pthread_cond_signal, (pthread_cond_t *cond), (cond))
PASS(int, pthread_cond_broadcast, (pthread_cond_t *cond), (cond))
PASS(int, pthread_rwlock_rdlock, (pthread_rwlock_t *lock), (lock))
PASS(int, pthread_rwlock_wrlock, (pthread_rwlock_t *lock), (lock))
PASS(int, pthread_rwlock_unlock, (pthread_rwlock_t *lock), (lock))
PASS(int, sem_wait, (sem_t *lock), (lock))
PASS(int, sem_trywait, (sem_t *lock), (lock))
PASS(int, sem_timedwait, (sem_t *lock, const struct timespec *until), (lock, until))
PASS(int, sem_clockwait, (sem_t *lock, clockid_t clock, const struct timespec *until), (lock, clock, until))
PASS(int, sem_post, (sem_t *lock), (lock))

PASS(int, pthread_once, (pthread_once_t *once, void (*function)(void)), (once, function))
PASS(int, pthread_create, (pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *with), (thread, how, run, with))
PASS(void *, pthread_getspecific, (pthread_key_t key), (key))
PASS(int, pthread_setspecific, (pthread_key_t key, const void *value), (key, value))
PASS(int, pthread_key_create, (pthread_key_t *key, void (*end)(void *)), (key, end))
PASS(int, pthread_getattr_np, (pthread_t thread, pthread_attr_t *how), (thread, how))

PASS(void *, dlopen, (const char *name, int how), (name, how))
PASS(int, dlclose, (void *library), (library))
PASS(int, dladdr, (const void *at, Dl_info *info), (at, info))
PASS(int, dl_iterate_phdr, (int (*each)(struct dl_phdr_info *, size_t, void *), void *with), (each, with))
PASS(void *, __tls_get_addr, (void *index), (index))

PASS(int, vsnprintf, (char *text, size_t room, const char *format, va_list with), (text, room, format, with))
PASS(int, vfprintf, (FILE *file, const char *format, va_list with), (file, format, with))
PASS(size_t, fwrite, (const void *data, size_t size, size_t many, FILE *file), (data, size, many, file))
PASS(int, fputs, (const char *text, FILE *file), (text, file))
PASS(int, fflush, (FILE *file), (file))
