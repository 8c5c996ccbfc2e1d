# S12: Py_FinalizeEx and Py_Initialize, again and again, in one process.


def setup_reinitialize(depth, work, cycles):
    root, functions, calls = build(depth, work, 0, "plain")

    def main():
        root(1)  # calls n1

    functions.update(main=main)
    return *graph(SOURCE, functions, ["main"], calls), main
