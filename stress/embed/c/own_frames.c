/* The interpreter's own answer to "which frames are these": the oracle of the workload `hook`.
 *
 * What PyThreadState_GetFrame, PyFrame_GetBack, PyFrame_GetCode and PyFrame_GetLineNumber would say, by CPython's own inline
 * functions (_PyFrame_IsIncomplete, _PyFrame_GetCode, _PyInterpreterFrame_LASTI) and PyCode_Addr2Line, but without the frame
 * objects that those make: a frame object is allocated, is tracked by the garbage collector, and changes what becomes of its
 * frame (it takes the frame over when that is popped), so that asking would change what is asked about. For the same reason
 * nothing is allocated and no reference is counted.
 *
 * Not for a thread that runs: the caller is that thread, in a function that the interpreter called.
 */
#define Py_BUILD_CORE 1
#include <Python.h>
#if PY_VERSION_HEX >= 0x030e0000
#  include "internal/pycore_interpframe.h"
#else
#  include "internal/pycore_frame.h"
#endif
#include "internal/pycore_code.h"

#include "cpython_c.h"

const uint32_t sigwalk_own_frames_version = PY_VERSION_HEX;

static inline _PyInterpreterFrame *
complete(_PyInterpreterFrame *frame)
{
    while (frame != NULL && _PyFrame_IsIncomplete(frame)) {
        frame = frame->previous;
    }
    return frame;
}

/* The complete frames of the calling thread's state `state`, innermost first, as many as fit. Returns how many there are. */
uint32_t
sigwalk_own_frames(void *state, struct sigwalk_frame *frames, uint32_t capacity)
{
    PyThreadState *tstate = state;
    uint32_t count = 0;
#if PY_VERSION_HEX >= 0x030d0000
    _PyInterpreterFrame *frame = complete(tstate->current_frame);
#else
    _PyInterpreterFrame *frame = complete(tstate->cframe->current_frame);
#endif
    for (; frame != NULL; frame = complete(frame->previous)) {
        if (count < capacity) {
#if PY_VERSION_HEX >= 0x030d0000
            PyCodeObject *code = _PyFrame_GetCode(frame);
#else
            PyCodeObject *code = frame->f_code;
#endif
            int lasti = _PyInterpreterFrame_LASTI(frame) * (int)sizeof(_Py_CODEUNIT);
            frames[count] = (struct sigwalk_frame){
                (uintptr_t)frame, (uintptr_t)code, lasti, PyCode_Addr2Line(code, lasti)};
        }
        count++;
    }
    return count;
}

/* What the state is to the calling thread: 1 = attached; 0 = detached, or another state of the thread's is attached, and the
 * interpreter is whole; -1 = neither, and the interpreter is being finalised, so that the state may be freed memory (S11). */
int
sigwalk_own_frames_standing(void *state)
{
#if PY_VERSION_HEX >= 0x030d0000
    return PyThreadState_GetUnchecked() == state ? 1 : Py_IsFinalizing() ? -1 : 0;
#else
    /* On 3.11 the attached state is one for all threads: the holder's of the GIL. */
    return _PyThreadState_UncheckedGet() == state ? 1 : _Py_IsFinalizing() ? -1 : 0;
#endif
}
