# Threads that live for one pass of the call tree: thread states, data-stack chunks and entry frames come and go while
# they are walked. With locals=300 a frame is larger than what is left of a chunk, so chunks come and go too.


def setup_thread_churn(depth, work, locals, threads):
    import _thread, time

    root, functions, calls = build(depth, work, locals, "plain")

    def body(done):
        sigwalk_arm()
        root(1)  # calls n1
        done.append(None)

    def churn():
        done = []
        for _ in range(threads):
            _thread.start_new_thread(body, (done,))
        while len(done) < threads:
            time.sleep(0.0001)

    functions.update(body=body, churn=churn)
    return *graph(SOURCE, functions, ["body", "churn"], calls), churn
