# S4: two call chains whose frames have other sizes, one after the other on the same stretch of the data stack: what was a
# frame is the middle of another one a moment later, at another alignment. With `large` = `small` frames of different
# functions have the same addresses (a cache that is anchored by a frame's address is deceived).


def setup_frame_reuse(depth, small, large, repeats):
    one, one_calls = chain("a", [small if level % 2 else large for level in range(depth)])
    two, two_calls = chain("b", [large if level % 2 else small for level in range(depth)])
    a, b = one["a0"], two["b0"]

    def main():
        for _ in range(repeats):
            a()  # calls a0
            b()  # calls b0

    functions = {**one, **two, "main": main}
    return *graph(SOURCE, functions, ["main"], one_calls + two_calls), main
