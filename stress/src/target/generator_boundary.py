# S1: a generator function called where its frame does not fit into the current data-stack chunk. RETURN_GENERATOR pops
# the frame, which gives the chunk back (munmap until 3.13.13 / 3.14.4, a one-entry cache since), and only then makes the
# caller the current frame: in between, the head of the chain points into memory that is gone.


def setup_generator_boundary(locals, repeats):
    names = " = ".join(f"x{i}" for i in range(locals))
    namespace = {}
    exec(compile(f"def made(k=1):\n    {names} = k\n    yield k\n", "<made>", "exec"), namespace)
    made = namespace["made"]
    # Fixed part of a frame: 9 or 10 slots. A little more than needed: the last levels before the edge are at it, too.
    need = made.__code__.co_nlocals + made.__code__.co_stacksize + 12

    def edge(n=0):
        if sigwalk_room() <= need:
            for _ in range(repeats):
                made()  # calls made
            return
        edge(n + 1)  # calls edge

    return *graph(SOURCE, {"edge": edge, "made": made}, ["edge"]), edge
