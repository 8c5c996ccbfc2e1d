# S10: a thread's state is deleted by another thread.


def setup_deleted_state(depth, work):
    root, functions, calls = build(depth, work, 0, "plain")

    def body():
        root(1)  # calls n1

    def main():
        sigwalk_delete_other(body)

    functions.update(body=body, main=main)
    return *graph(SOURCE, functions, ["body", "main"], calls), main
