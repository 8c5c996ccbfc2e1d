# A sub-interpreter arms dump_traceback_later and ends: the watchdog still walks its list of threads, which is freed memory.
# Shown when the process dies.
import faulthandler, os, time

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
sink = os.open(os.devnull, os.O_WRONLY)
arm = f"import faulthandler; faulthandler.dump_traceback_later(0.0001, repeat=True, file={sink})"
end = time.monotonic() + 1.5
while time.monotonic() < end:
    faulthandler.dump_traceback_later(0.0001, repeat=True, file=sink)
    one = interpreters.create()
    interpreters.run_string(one, arm)
    time.sleep(0.01)
    interpreters.destroy(one)  # the watchdog is at work
faulthandler.cancel_dump_traceback_later()
