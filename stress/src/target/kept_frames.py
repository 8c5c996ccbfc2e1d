# Frame objects that outlive their frames: `sys._getframe()` kept, tracebacks kept, a generator's frame kept, a frame that
# is cleared. When such a frame returns, its content moves into the object (ownership changes hands).


def setup_kept_frames(repeats):
    import sys

    kept = []

    def keeps(level):
        kept.append(sys._getframe())
        if level:
            keeps(level - 1)  # calls keeps

    def raises(level):
        if not level:
            raise ValueError
        raises(level - 1)  # calls raises

    def made():
        kept.append(sys._getframe())
        yield 0

    def main():
        for _ in range(repeats):
            keeps(3)  # calls keeps
            try:
                raises(3)  # calls raises
            except ValueError as error:
                kept.append(error.__traceback__)
            generator = made()  # calls made
            next(generator)  # calls made
            kept.append(generator.gi_frame)
            generator.close()  # calls made
            kept[0].clear()
            kept.clear()

    functions = {"keeps": keeps, "raises": raises, "made": made, "main": main}
    return *graph(SOURCE, functions, ["main"]), main
