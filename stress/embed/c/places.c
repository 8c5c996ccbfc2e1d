/* Where the interpreter keeps what a signal-safe walk must not write: for the contract checker. */
#define Py_BUILD_CORE 1
#include <Python.h>
#include "internal/pycore_interp.h"
#include "internal/pycore_runtime.h"
#if PY_VERSION_HEX >= 0x030c0000
#  include "internal/pycore_gil.h"
#endif

#include <stdint.h>

const uint32_t sigwalk_places_version = PY_VERSION_HEX;

struct sigwalk_place {
    uint64_t start;
    uint64_t size;
};

/* The places of the calling thread, which is attached: its state, the evaluation breaker, the GIL. */
void
sigwalk_places(struct sigwalk_place *state, struct sigwalk_place *breaker, struct sigwalk_place *gil)
{
    PyThreadState *tstate = PyThreadState_Get();
    PyInterpreterState *interp = tstate->interp;
    *state = (struct sigwalk_place){(uintptr_t)tstate, sizeof *tstate};
#if PY_VERSION_HEX >= 0x030d0000
    *breaker = (struct sigwalk_place){(uintptr_t)&tstate->eval_breaker, sizeof tstate->eval_breaker};
#else
    *breaker = (struct sigwalk_place){
        (uintptr_t)&interp->ceval.eval_breaker, sizeof interp->ceval.eval_breaker};
#endif
#if PY_VERSION_HEX >= 0x030c0000
    *gil = (struct sigwalk_place){(uintptr_t)interp->ceval.gil, sizeof *interp->ceval.gil};
#else
    *gil = (struct sigwalk_place){(uintptr_t)&_PyRuntime.ceval.gil, sizeof _PyRuntime.ceval.gil};
#endif
}
