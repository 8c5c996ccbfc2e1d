# W4 gh-106883: sys._current_frames() collects garbage under the lock of the list of threads; a finalizer that gives the
# GIL away to a thread which wants that lock stops both. Shown when nothing moves any more.
import gc, sys, threading, time

class Cycle:
    def __init__(self):
        self.me = self
    def __del__(self):
        time.sleep(0)

def churn():
    while time.monotonic() < end:
        thread = threading.Thread(target=Cycle)
        thread.start()
        thread.join()

end = time.monotonic() + 1.5
gc.set_threshold(1)
threads = [threading.Thread(target=churn, daemon=True) for _ in range(4)]
for thread in threads:
    thread.start()
while time.monotonic() < end:
    Cycle()
    sys._current_frames()
