/* The walker `cpython-c`: the walk that a profiler would write with the four functions of PR 148930 (design B1), over
 * CPython's own inline helpers, compiled from the internal headers of the interpreter that is walked.
 *
 * CPython's own:
 *   _PyMem_IsPtrFreed, _PyFrame_IsIncomplete, _PyFrame_SafeGetCode, _PyFrame_SafeGetLasti   inline, from its headers
 *   _PyObject_IsFreed (3.14 and later), PyCode_Addr2Line                                    calls into its libpython
 * Rebuilt here:
 *   the skip loop and the order of calls, whose bodies in the PR are not public (src/walk/pr_b1.rs has the same);
 *   _PyCode_SafeAddr2Line, a local symbol of libpython, as far as it is more than PyCode_Addr2Line: one range test.
 *
 * With NDEBUG where the interpreter was compiled with it (the build script passes its flags on), so that an assert() is here
 * what it is there.
 *
 * Signal safety: loads, and calls that make nothing but loads. On a build with the GIL the critical section of
 * PyCode_Addr2Line is empty.
 */
#define _GNU_SOURCE 1
#define Py_BUILD_CORE 1
#include <Python.h>
#if PY_VERSION_HEX >= 0x030e0000
#  include "internal/pycore_interpframe.h"
#else
#  include "internal/pycore_frame.h"
#endif
#include "internal/pycore_code.h"
#include "internal/pycore_instruments.h"
#include "internal/pycore_object.h"
#include "internal/pycore_pymem.h"

#include "cpython_c.h"
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#ifdef Py_GIL_DISABLED
#  error "free-threaded builds are not supported"
#endif

const uint32_t sigwalk_cpython_c_version = PY_VERSION_HEX;

/* The hop limit of a walk that has none, as proposed: a cycle of entry frames is followed for ever. */
#define NO_LIMIT 0

/* Books what comes next, in a walk that may fault. The barrier keeps the compiler from moving loads across. */
#define STEP(walk, tracked, name)                       \
    do {                                                \
        if (tracked) {                                  \
            (walk)->step = (name);                      \
            __asm__ volatile("" ::: "memory");          \
        }                                               \
    } while (0)

static inline int
is_entry(_PyInterpreterFrame *frame)
{
#if PY_VERSION_HEX >= 0x030e0000
    return frame->owner >= FRAME_OWNED_BY_INTERPRETER;
#else
    return frame->owner == FRAME_OWNED_BY_CSTACK;
#endif
}

/* The loop of GetInterpreterFrame and GetNextComplete. `guarded`: _PyFrame_SafeGetCode is asked first, and a frame whose code
 * it does not believe is handed out. */
static inline __attribute__((always_inline)) _PyInterpreterFrame *
next_complete(_PyInterpreterFrame *frame, struct sigwalk_walk *walk, uint32_t hop_limit, int guarded, int tracked)
{
    while (frame != NULL) {
        if (_PyMem_IsPtrFreed(frame)) {
            return NULL;
        }
        walk->hops++;
        if (hop_limit != NO_LIMIT && walk->hops > hop_limit) {
            walk->end = SIGWALK_HOP_LIMIT;
            return NULL;
        }
        if (guarded) {
            STEP(walk, tracked, SIGWALK_IS_INCOMPLETE);
            int entry = is_entry(frame);
            STEP(walk, tracked, SIGWALK_SAFE_GET_CODE);
            if (!entry && _PyFrame_SafeGetCode(frame) == NULL) {
                return frame;
            }
        }
        STEP(walk, tracked, SIGWALK_IS_INCOMPLETE);
        if (!_PyFrame_IsIncomplete(frame)) {
            return frame;
        }
        STEP(walk, tracked, SIGWALK_PREVIOUS);
        frame = frame->previous;
    }
    return NULL;
}

/* _PyCode_SafeAddr2Line tests: a negative offset; line monitoring; the range; and then scans the table. PyCode_Addr2Line is the
 * same without the third, so that all but the range test runs in libpython. */
static inline int
safe_addr2line(PyCodeObject *code, int addr)
{
    if (addr >= 0
        && !(code->_co_monitoring && code->_co_monitoring->lines)
        && !(addr < _PyCode_NBYTES(code)))
    {
        return -1;
    }
    return PyCode_Addr2Line(code, addr);
}

static inline __attribute__((always_inline)) void
collect(PyThreadState *tstate, int lines, uint32_t hop_limit, int guarded, int tracked,
        struct sigwalk_frame *frames, uint32_t capacity, struct sigwalk_walk *walk)
{
    STEP(walk, tracked, SIGWALK_HEAD);
    _PyInterpreterFrame *frame = tstate->current_frame;
    frame = next_complete(frame, walk, hop_limit, guarded, tracked);
    while (frame != NULL) {
        /* GetCodeSafe */
        STEP(walk, tracked, SIGWALK_SAFE_GET_CODE);
        PyCodeObject *code = _PyFrame_SafeGetCode(frame);
        if (code == NULL) {
            walk->end = SIGWALK_NO_CODE;
            return;
        }
        /* GetLineSafe, which finds the offset on its way. The API has no function for the offset alone. */
        int lasti = -1;
        int line = -1;
        if (!lines) {
            STEP(walk, tracked, SIGWALK_SAFE_GET_LASTI);
            lasti = _PyFrame_SafeGetLasti(frame);
        }
        else {
            STEP(walk, tracked, SIGWALK_SAFE_GET_CODE);
            PyCodeObject *again = _PyFrame_SafeGetCode(frame);
            if (again != NULL) {
                STEP(walk, tracked, SIGWALK_SAFE_GET_LASTI);
                lasti = _PyFrame_SafeGetLasti(frame);
                STEP(walk, tracked, SIGWALK_SAFE_ADDR2LINE);
                line = safe_addr2line(again, lasti);
            }
        }
        if (walk->count == capacity) {
            walk->end = SIGWALK_BUFFER_FULL;
            return;
        }
        frames[walk->count++] = (struct sigwalk_frame){(uintptr_t)frame, (uintptr_t)code, lasti, line};
        STEP(walk, tracked, SIGWALK_PREVIOUS);
        frame = next_complete(frame->previous, walk, hop_limit, guarded, tracked);
    }
}

/* The walk as a profiler makes it: a bad load ends the process, and a cycle is followed for ever. */
void
sigwalk_cpython_c_walk(void *tstate, int lines, struct sigwalk_frame *frames, uint32_t capacity,
                       struct sigwalk_walk *out)
{
    struct sigwalk_walk walk = {0};
    if (lines) {
        collect(tstate, 1, NO_LIMIT, 0, 0, frames, capacity, &walk);
    }
    else {
        collect(tstate, 0, NO_LIMIT, 0, 0, frames, capacity, &walk);
    }
    *out = walk;
}

/* ---- The same, coming back from a bad load ---- */

/* Constant initialisers in the program's static TLS: a handler's access is a plain load. */
static __thread volatile sig_atomic_t armed;
static __thread sigjmp_buf landing;
static __thread struct sigwalk_walk *current;

static struct sigaction earlier[2];

/* Where a caught fault goes on: on the stack that it interrupted, as if the faulting instruction had called this. From here
 * siglongjmp crosses frames of this file and of libpython only. */
static _Noreturn void
land(void)
{
    siglongjmp(landing, 1);
}

/* Runs under the handler of sigwalk, which chains to it, so nothing may jump out of here: it changes the saved context, and
 * the return of the signal does the rest. */
static void
on_fault(int signal, siginfo_t *info, void *context)
{
    if (!armed || info->si_code <= 0) {
        /* Not ours: as if we had never been here. A fault of an instruction happens again. */
        sigaction(signal, &earlier[signal == SIGBUS], NULL);
        if (info->si_code <= 0) {
            raise(signal);
        }
        return;
    }
    armed = 0;
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    current->end = SIGWALK_FAULT;
    current->signal = signal;
    /* A general-protection fault (no canonical address) comes without one. */
    current->has_address = info->si_code != SI_KERNEL;
    current->address = current->has_address ? (uintptr_t)info->si_addr : 0;
    current->pc = (uint64_t)registers[REG_RIP];
    /* Below the red zone, aligned as at the entry of a function. */
    registers[REG_RSP] = (((registers[REG_RSP] - 128) & ~(greg_t)15)) - 8;
    registers[REG_RIP] = (greg_t)(uintptr_t)land;
}

/* 0, or the errno. To be called before sigwalk installs its handler, which chains to this one. */
int
sigwalk_cpython_c_catch_faults(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_sigaction = on_fault;
    /* SA_NODEFER: the handler is left by the return of the signal, but a walk in another handler may fault meanwhile. */
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    static const int signals[2] = {SIGSEGV, SIGBUS};
    for (int index = 0; index < 2; index++) {
        struct sigaction before;
        if (sigaction(signals[index], NULL, &before) != 0) {
            return errno;
        }
        if (before.sa_sigaction == on_fault) {
            continue;
        }
        earlier[index] = before;
        if (sigaction(signals[index], &action, NULL) != 0) {
            return errno;
        }
    }
    return 0;
}

/* `hop_limit` is never 0 here: a walk that would not end must come back, too. */
void
sigwalk_cpython_c_try_walk(void *tstate, int lines, int guarded, uint32_t hop_limit, struct sigwalk_frame *frames,
                           uint32_t capacity, struct sigwalk_walk *out)
{
    memset(out, 0, sizeof(*out));
    current = out;
    /* Without the signal mask: the return of the signal has put it back by then. */
    if (sigsetjmp(landing, 0) == 0) {
        armed = 1;
        __asm__ volatile("" ::: "memory");
        /* `out` itself is filled, so that what was collected before a fault is there. */
        if (guarded) {
            collect(tstate, lines, hop_limit, 1, 1, frames, capacity, out);
        }
        else {
            collect(tstate, lines, hop_limit, 0, 1, frames, capacity, out);
        }
        __asm__ volatile("" ::: "memory");
        armed = 0;
    }
}
