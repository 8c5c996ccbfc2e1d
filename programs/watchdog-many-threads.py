# F3 gh-131580: twenty threads, each of which arms dump_traceback_later and ends while the others run.
# Shown when the process dies in the watchdog's walk of running threads.
import faulthandler, os, threading, time

sink = os.open(os.devnull, os.O_WRONLY)

def work():
    faulthandler.dump_traceback_later(1e-5, repeat=True, file=sink)
    sum(map(len, [list(range(n)) for n in range(20)]))

end = time.monotonic() + 1
while time.monotonic() < end:
    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
faulthandler.cancel_dump_traceback_later()
