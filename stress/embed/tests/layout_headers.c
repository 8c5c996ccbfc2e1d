/* Offsets of one CPython build, by its own headers: "name value" lines for layout_headers.rs. */
#define Py_BUILD_CORE 1
#include <Python.h>
#include <stddef.h>
#include <stdio.h>
#include "internal/pycore_runtime.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_code.h"
#if PY_VERSION_HEX >= 0x030e0000
#include "internal/pycore_interpframe.h"
#else
#include "internal/pycore_frame.h"
#endif

#define OFFSET(name, type, field) printf("%s %zu\n", name, offsetof(type, field))
#define SIZE(name, type) printf("%s %zu\n", name, sizeof(type))
typedef struct _PyInterpreterFrame Frame;

int main(void)
{
    printf("version %lu\n", (unsigned long)PY_VERSION_HEX);
    OFFSET("runtime.interpreters_head", _PyRuntimeState, interpreters.head);
#if PY_VERSION_HEX < 0x030c0000
    OFFSET("runtime.auto_tss_key", _PyRuntimeState, gilstate.autoTSSkey);
#elif PY_VERSION_HEX < 0x030f0000
    OFFSET("runtime.auto_tss_key", _PyRuntimeState, autoTSSkey);
#endif
    OFFSET("runtime.interp_next", PyInterpreterState, next);
    OFFSET("runtime.threads_head", PyInterpreterState, threads.head);
#if PY_VERSION_HEX >= 0x030e0000
    OFFSET("runtime.code_object_generation", PyInterpreterState, _code_object_generation);
#endif

    OFFSET("thread.prev", PyThreadState, prev);
    OFFSET("thread.next", PyThreadState, next);
    OFFSET("thread.interp", PyThreadState, interp);
#if PY_VERSION_HEX < 0x030d0000
    OFFSET("thread.head.cframe", PyThreadState, cframe);
    OFFSET("thread.head.current_frame", _PyCFrame, current_frame);
#else
    OFFSET("thread.head.current_frame", PyThreadState, current_frame);
#endif
    OFFSET("thread.thread_id", PyThreadState, thread_id);
    OFFSET("thread.native_thread_id", PyThreadState, native_thread_id);
    OFFSET("thread.datastack_chunk", PyThreadState, datastack_chunk);
    OFFSET("datastack_top", PyThreadState, datastack_top);
    OFFSET("datastack_limit", PyThreadState, datastack_limit);

#if PY_VERSION_HEX < 0x030d0000
    OFFSET("frame.executable", Frame, f_code);
    OFFSET("frame.instruction", Frame, prev_instr);
#else
    OFFSET("frame.executable", Frame, f_executable);
    OFFSET("frame.instruction", Frame, instr_ptr);
#endif
    OFFSET("frame.previous", Frame, previous);
    OFFSET("frame.globals", Frame, f_globals);
    OFFSET("frame.builtins", Frame, f_builtins);
    OFFSET("frame.owner", Frame, owner);
#if PY_VERSION_HEX < 0x030c0000
    OFFSET("frame.outermost", Frame, is_entry);
#elif PY_VERSION_HEX >= 0x030f0000
    OFFSET("frame.outermost", PyThreadState, base_frame);
#endif
    /* FRAME_SPECIALS_SIZE and one slot: what sizeof says, localsplus[1] included. */
    SIZE("frame.size", Frame);

    OFFSET("code.ob_type", PyObject, ob_type);
    OFFSET("code.units", PyVarObject, ob_size);
    OFFSET("code.firstlineno", PyCodeObject, co_firstlineno);
    OFFSET("code.filename", PyCodeObject, co_filename);
    OFFSET("code.name", PyCodeObject, co_name);
    OFFSET("code.qualname", PyCodeObject, co_qualname);
    OFFSET("code.linetable", PyCodeObject, co_linetable);
    OFFSET("code.firsttraceable", PyCodeObject, _co_firsttraceable);
    OFFSET("code.adaptive", PyCodeObject, co_code_adaptive);
    SIZE("code.size", PyCodeObject);
#if PY_VERSION_HEX >= 0x030c0000
    OFFSET("code.version", PyCodeObject, co_version);
    OFFSET("code.monitoring", PyCodeObject, _co_monitoring);
    OFFSET("code.monitoring_lines", _PyCoMonitoringData, lines);
#endif

    OFFSET("text.bytes_size", PyVarObject, ob_size);
    OFFSET("text.bytes_data", PyBytesObject, ob_sval);
    OFFSET("text.length", PyASCIIObject, length);
    OFFSET("text.state", PyASCIIObject, state);
    SIZE("text.ascii_data", PyASCIIObject);
    SIZE("text.compact_data", PyCompactUnicodeObject);

    OFFSET("chunk.previous", _PyStackChunk, previous);
    OFFSET("chunk.size", _PyStackChunk, size);
    OFFSET("chunk.top", _PyStackChunk, top);
    OFFSET("chunk.data", _PyStackChunk, data);
    return 0;
}
