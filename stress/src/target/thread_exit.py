# S9: threads that do next to nothing, so that nearly every signal meets a thread that is being made or taken down. A
# thread-local value has a destructor, which runs Python code inside PyThreadState_Clear, on an otherwise empty stack.


def setup_thread_exit(threads, work):
    import _thread, time

    local = _thread._local()

    class Farewell:
        def __del__(self):
            spin()  # last words

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
    calls = [("spin", "farewell", line_of(SOURCE, Farewell.__del__, "# last words"))]
    codes, edges = describe(functions, calls, ["farewell", "body", "churn"])
    return codes, edges, churn
