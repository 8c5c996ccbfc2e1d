# S6: threads that end inside Python frames, by pthread_exit from a C function, as code does that is cancelled or throws
# through the evaluation loop. Their thread states stay, and name frames whose entry frames were on a C stack that is gone,
# or is another thread's by now.


def setup_vanish(threads):
    import _thread, time

    def vanishes(started):
        started.append(None)
        sigwalk_vanish()

    def body(started):
        sigwalk_arm()
        list(map(vanishes, (started,)))  # calls vanishes

    def lives(done):
        list(map(spins, (100, 200)))  # calls spins
        done.append(None)

    def spins(k):
        for _ in range(k):
            pass

    def main():
        started, done = [], []
        for _ in range(threads):
            _thread.start_new_thread(body, (started,))
        while len(started) < threads:
            time.sleep(0.0001)
        for _ in range(threads):  # on the C stacks of those that are gone
            _thread.start_new_thread(lives, (done,))
        while len(done) < threads:
            time.sleep(0.0001)

    functions = {"vanishes": vanishes, "body": body, "lives": lives, "spins": spins, "main": main}
    return *graph(SOURCE, functions, ["body", "lives", "main"]), main
