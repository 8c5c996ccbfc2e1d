# S13: an interpreter is made, runs a program, is swapped with the first one, and ends.


def setup_subinterpreter(depth, work):
    root, functions, calls = build(depth, work, 0, "plain")

    def main():
        root(1)  # calls n1
        sigwalk_subinterpreter("def f(n):\n    return n and f(n - 1)\nfor _ in range(50): f(10)\n")
        root(1)  # calls n1

    functions.update(main=main)
    return *graph(SOURCE, functions, ["main"], calls), main
