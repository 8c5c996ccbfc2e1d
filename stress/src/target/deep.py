# S20: more than 100 frames, where CPython's own dump stops.


def setup_deep(depth, slots, repeats):
    functions, calls = chain("f", [slots] * (depth - 1))
    first = functions["f0"]

    def main():
        for _ in range(repeats):
            first()  # calls f0

    functions["main"] = main
    return *graph(SOURCE, functions, ["main"], calls), main
