# What is walked under the contract checker: calls, C code in between, a generator, and allocations of every domain.
# `touch` reads a word, at a bad address where the context is a crash.


def make(touch):
    def leaf(n):
        touch()
        return [n, str(n), {"n": n}]

    def numbers(n):
        for i in range(n):
            yield leaf(i)

    def key(item):
        return len(item[1])

    def middle(n):
        return sorted(numbers(n), key=key)

    def deep(n, left):
        return deep(n, left - 1) if left else middle(n)

    class Holder:
        def __init__(self, n):
            self.kept = deep(n, 12)

    def one_pass():
        return [Holder(n) for n in (3, 5, 8)]

    return one_pass


def objects(program, types):
    """(address, index in types) of every object that can be reached from those that the garbage collector knows."""
    import gc

    index = {name: i for i, name in enumerate(types)}
    rest = len(types) - 1
    seen = {}
    todo = [program, *gc.get_objects()]
    while todo:
        item = todo.pop()
        if id(item) in seen:
            continue
        seen[id(item)] = index.get(type(item).__name__, rest)
        # What is not tracked is known through who refers to it.
        todo.extend(gc.get_referents(item))
    return sorted(seen.items())
