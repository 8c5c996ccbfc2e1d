# S11: Py_FinalizeEx while daemon threads run the call tree, sleep or wait for a lock. Up to 3.13 their thread states are
# freed under them; from 3.14 on the threads hang with a dangling slot.


def setup_finalize(depth, work, threads, state):
    import _thread, time

    root, functions, calls = build(depth, work, 0, "plain")
    started = []
    taken = _thread.allocate_lock()
    taken.acquire()

    def running():
        sigwalk_arm()
        while True:
            root(1)  # calls n1

    def sleeping():
        sigwalk_arm()
        while True:
            time.sleep(0.0005)
            root(1)  # calls n1

    def waiting():
        sigwalk_arm()
        taken.acquire()

    daemon = {"running": running, "sleeping": sleeping, "waiting": waiting}[state]

    def main():
        while len(started) < threads:
            started.append(None)
            _thread.start_new_thread(daemon, ())
        root(1)  # calls n1

    functions.update(daemon=daemon, main=main)
    return *graph(SOURCE, functions, ["daemon", "main"], calls), main
