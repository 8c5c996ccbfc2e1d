# S5: a call chain over several data-stack chunks (16 KiB each), up and down: chunks are mapped and unmapped at every
# crossing (up to 3.13.12 / 3.14.3), or kept one at a time. With `slots` above 1048 a frame alone needs a larger chunk.


def setup_chunk_crossing(depth, slots, repeats):
    functions, calls = chain("f", [slots] * depth)
    first = functions["f0"]

    def main():
        for _ in range(repeats):
            first()  # calls f0

    functions["main"] = main
    return *graph(SOURCE, functions, ["main"], calls), main
