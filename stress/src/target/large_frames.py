# S20: each frame is larger than what an ordinary chunk holds, and larger than the one before: chunk sizes double.


def setup_large_frames(depth, slots, repeats):
    functions, calls = chain("f", [slots * (2 + level) // 2 for level in range(depth)])
    first = functions["f0"]

    def main():
        for _ in range(repeats):
            first()  # calls f0

    functions["main"] = main
    return *graph(SOURCE, functions, ["main"], calls), main
