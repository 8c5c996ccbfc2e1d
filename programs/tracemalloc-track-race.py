# T6 gh-143143: PyTraceMalloc_Track from threads without the GIL while tracemalloc starts and stops.
# Shown when the process dies or stands still.
import ctypes, sys, threading, time, tracemalloc

raw = ctypes.CDLL(None)  # calls without the GIL
raw.PyTraceMalloc_Track.argtypes = [ctypes.c_uint, ctypes.c_size_t, ctypes.c_size_t]
raw.PyTraceMalloc_Untrack.argtypes = [ctypes.c_uint, ctypes.c_size_t]
end = time.monotonic() + 1.5

def track(address):
    while time.monotonic() < end:
        raw.PyTraceMalloc_Track(7, address, 64)
        raw.PyTraceMalloc_Untrack(7, address)

threads = [threading.Thread(target=track, args=(4096 * n,)) for n in range(1, 9)]
for thread in threads:
    thread.start()
sys.setswitchinterval(1e-5)
while time.monotonic() < end:
    tracemalloc.start()
    tracemalloc.stop()
for thread in threads:
    thread.join()
