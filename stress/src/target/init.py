# Classes with an `__init__`, whose call the interpreter specialises: from 3.13 on with a shim frame between the caller and
# `__init__`, which looks like any other frame and runs code that no function has.


def setup_init(repeats):
    def leaf(k):
        return k

    class Base:
        def __init__(self, k):
            self.k = leaf(k)  # calls leaf

    class Derived(Base):
        def __init__(self, k):
            super().__init__(k)  # calls base

    def main():
        for k in range(repeats):
            Base(k)  # calls base
            Derived(k)  # calls derived

    functions = {"leaf": leaf, "base": Base.__init__, "derived": Derived.__init__, "main": main}
    return *graph(SOURCE, functions, ["main"]), main
