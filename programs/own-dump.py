# F6 gh-123967: faulthandler.register dumps the interrupted thread's own frames at any instruction of it.
# Shown when the process dies: 3.12 and 3.13.0 at a top-most entry frame, 3.11 in two windows of the evaluation loop (S2, S3).
import faulthandler, os, signal, time

sink = os.open(os.devnull, os.O_WRONLY)
faulthandler.register(signal.SIGALRM, file=sink, all_threads=False)

def down(depth):
    return down(depth - 1) + 1 if depth else 0

def numbers(n):
    yield from range(n)

signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
end = time.monotonic() + 1.5
while time.monotonic() < end:
    down(30)
    sum(numbers(30))
    sorted(range(30), key=lambda n: -n)
signal.setitimer(signal.ITIMER_REAL, 0)
