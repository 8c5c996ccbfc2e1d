# The line look-up of a monitored code object takes the instruction's index as it is: its bounds check comes after.
# Shown when the process dies; a torn instruction pointer in code that is not monitored is refused.
import ctypes, faulthandler, os, sys

def inner(frame):
    word = ctypes.c_int64.from_address(ctypes.c_int64.from_address(id(frame) + 24).value + 56)
    good, word.value = word.value, word.value + (1 << 30)
    faulthandler.dump_traceback(file=os.open(os.devnull, os.O_WRONLY), all_threads=False)
    word.value = good

def outer():
    inner(sys._getframe())

outer()  # as it is: the dump calls the frame invalid
sys.monitoring.use_tool_id(0, "lines")
sys.monitoring.register_callback(0, sys.monitoring.events.LINE, lambda code, line: None)
sys.monitoring.set_local_events(0, outer.__code__, sys.monitoring.events.LINE)
outer()
