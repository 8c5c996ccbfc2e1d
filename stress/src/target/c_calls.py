# S2: C code calls Python: each call enters the evaluation loop anew. Up to 3.12 the entry publishes a record on the C stack
# first and fills it in afterwards; from 3.12 on it has an entry frame on the C stack.


def setup_c_calls(repeats):
    import functools

    def leaf(*_):
        return 0

    def node(*_):
        list(map(leaf, (1, 2)))  # calls leaf
        sorted((2, 1), key=leaf)  # calls leaf
        return 0

    class Slots:
        __eq__ = node
        __hash__ = leaf
        __len__ = node

    def main():
        slots = Slots()
        for _ in range(repeats):
            list(map(node, (1,)))  # calls node
            sorted((2, 1), key=node)  # calls node
            functools.partial(node)()  # calls node
            (1).__class__(slots == 1)  # calls node
            hash(slots)  # calls leaf
            len(slots)  # calls node

    return *graph(SOURCE, {"leaf": leaf, "node": node, "main": main}, ["main"]), main
