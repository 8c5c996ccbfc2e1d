# F1 gh-140815: the watchdog thread of dump_traceback_later walks a main thread that calls and returns.
# Shown when the process dies: the walk followed `previous` into an entry frame on a C stack that had been left.
import faulthandler, os, time

sink = os.open(os.devnull, os.O_WRONLY)

def down(depth):
    return max(map(down, [depth - 1])) + 1 if depth else 0

faulthandler.dump_traceback_later(1e-6, repeat=True, file=sink)
end = time.monotonic() + 1
while time.monotonic() < end:
    down(12)
faulthandler.cancel_dump_traceback_later()
