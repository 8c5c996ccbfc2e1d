# T1 gh-128679: tracemalloc.stop() while threads without the GIL allocate in the raw domain.
# Shown when the process dies or stands still.
import ctypes, sys, threading, time, tracemalloc

raw = ctypes.CDLL(None)  # calls without the GIL
raw.PyMem_RawMalloc.restype, raw.PyMem_RawFree.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
end = time.monotonic() + 2

def allocate():
    while time.monotonic() < end:
        raw.PyMem_RawFree(raw.PyMem_RawMalloc(64))

threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads:
    thread.start()
sys.setswitchinterval(1e-5)
while time.monotonic() < end:
    tracemalloc.start()
    tracemalloc.stop()
for thread in threads:
    thread.join()
