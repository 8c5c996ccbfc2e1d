# F3 gh-131580: twenty threads, each of which arms dump_traceback_later while the others run.
# Shown when the process dies in the watchdog's walk of running threads.
import faulthandler, os, threading, time

sink = os.open(os.devnull, os.O_WRONLY)
end = time.monotonic() + 3

def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)

def work():
    while time.monotonic() < end:
        faulthandler.dump_traceback_later(0.0001, repeat=True, file=sink)
        fib(12)

threads = [threading.Thread(target=work) for _ in range(20)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
faulthandler.cancel_dump_traceback_later()
