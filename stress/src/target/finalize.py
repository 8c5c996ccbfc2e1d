# S11: Py_FinalizeEx while daemon threads run the call tree. Up to 3.13 their thread states are freed under them; from
# 3.14 on the threads hang with a dangling slot.


def setup_finalize(depth, work, threads):
    import _thread

    root, functions, calls = build(depth, work, 0, "plain")
    started = []

    def daemon():
        sigwalk_arm()
        while True:
            root(1)  # daemon's work

    def main():
        while len(started) < threads:
            started.append(None)
            _thread.start_new_thread(daemon, ())
        root(1)  # main's work

    functions.update(daemon=daemon, main=main)
    calls.append(("n1", "daemon", line_of(SOURCE, daemon, "# daemon's work")))
    calls.append(("n1", "main", line_of(SOURCE, main, "# main's work")))
    codes, edges = describe(functions, calls, ["daemon", "main"])
    return codes, edges, main
