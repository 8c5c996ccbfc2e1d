# S15: native threads that ask for a thread state, call Python, and give it back (PyGILState_Ensure, PyGILState_Release).


def setup_gilstate(depth, work, locals):
    root, functions, calls = build(depth, work, locals, "plain")

    def body():
        root(1)  # calls n1

    def main():
        sigwalk_ensure(body)

    functions.update(body=body, main=main)
    return *graph(SOURCE, functions, ["body", "main"], calls), main
