# F2 gh-116008: faulthandler.register dumps all threads from a signal handler while threads come and go.
# Shown when the process dies: in a frame, in a code object, in the list of threads or in the name of one of them.
import _thread, faulthandler, os, signal, time

sink = os.open(os.devnull, os.O_WRONLY)
faulthandler.register(signal.SIGALRM, file=sink, all_threads=True)

def down(depth):
    return down(depth - 1) + 1 if depth else 0

def churn(lock):
    exec("down(5)")
    lock.release()

signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
end = time.monotonic() + 2
while time.monotonic() < end:
    locks = [_thread.allocate_lock() for _ in range(8)]
    for lock in locks:
        lock.acquire()
        _thread.start_new_thread(churn, (lock,))
    for lock in locks:
        lock.acquire()
signal.setitimer(signal.ITIMER_REAL, 0)
