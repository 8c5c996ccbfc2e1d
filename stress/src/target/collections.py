# A garbage collection at nearly every allocation, with finalizers that run Python code: they run inside frame creation
# (cells, RETURN_GENERATOR) up to 3.11, and at the checks of the evaluation loop since. W1.


def setup_collections(repeats):
    import gc

    def leaf():
        return 0

    class Cycle:
        def __init__(self):
            self.me = self

        def __del__(self):
            leaf()  # calls leaf

    def made(k):
        inner = lambda: k  # a cell
        yield inner() + leaf()  # calls lambda, leaf

    def main():
        gc.set_threshold(1)
        for k in range(repeats):
            Cycle()  # calls init
            list(made(k))  # calls made
        gc.set_threshold(700)

    functions = {"leaf": leaf, "init": Cycle.__init__, "del": Cycle.__del__, "made": made, "main": main}
    functions["lambda"] = nested(made)
    return *graph(SOURCE, functions, ["main"], anywhere(["del"], functions)), main
