# S9: threads that do next to nothing, so that nearly every signal meets a thread that is being made or taken down. A
# thread-local value has a destructor, which runs Python code inside PyThreadState_Clear, on an otherwise empty stack.


def setup_thread_exit(threads, work):
    import _thread, time

    local = _thread._local()

    class Farewell:
        def __del__(self):
            spin()  # calls spin

    def spin():
        for _ in range(work):
            pass

    def body(done):
        sigwalk_arm()
        local.farewell = Farewell()
        done.append(None)

    def churn():
        done = []
        for _ in range(threads):
            _thread.start_new_thread(body, (done,))
        while len(done) < threads:
            time.sleep(0.0001)

    functions = {"farewell": Farewell.__del__, "spin": spin, "body": body, "churn": churn}
    return *graph(SOURCE, functions, ["farewell", "body", "churn"]), churn
