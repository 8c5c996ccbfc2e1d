# S14: fork. The child, whose thread list names threads that it does not have, goes on and is walked from its first
# instruction on.


def setup_fork(depth, work, threads):
    import _thread, time

    root, functions, calls = build(depth, work, 0, "plain")
    ready = []

    def body():
        ready.append(None)
        time.sleep(10)

    def child():
        for _ in range(20):
            root(1)  # calls n1

    def main():
        if not ready:
            for _ in range(threads):
                _thread.start_new_thread(body, ())
            while len(ready) < threads:
                time.sleep(0.0001)
        sigwalk_fork(child)  # calls child

    functions.update(body=body, child=child, main=main)
    return *graph(SOURCE, functions, ["body", "main"], calls), main
