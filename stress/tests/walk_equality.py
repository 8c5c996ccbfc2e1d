# Stacks of every kind; at the bottom of each, `check(name)` compares what walkers say with the interpreter's own chain.
import functools


def plain(check):
    def a():
        def b():
            check("plain calls")

        b()

    a()


def generators(check):
    def inner():
        check("generator")
        yield 1
        check("generator, resumed")

    def outer():
        yield from inner()

    for _ in outer():
        pass
    list(x for x in (check("generator expression") for _ in "ab"))


def coroutines(check):
    class Pause:
        def __await__(self):
            check("await")
            yield 1

    async def leaf():
        check("coroutine")
        await Pause()
        check("coroutine, resumed")

    async def agen():
        await leaf()
        yield 1

    async def root():
        async for _ in agen():
            pass

    coroutine = root()
    try:
        while True:
            coroutine.send(None)
    except StopIteration:
        pass


def closures(check):
    x = 1

    def closure():
        nonlocal x
        x += 1
        (lambda: check("closure and lambda"))()

    closure()


def comprehensions(check):
    [check("list comprehension") for _ in (0,)]
    {check("set comprehension") for _ in (0,)}
    {0: check("dict comprehension") for _ in (0,)}
    [[check("nested comprehension") for _ in (0,)] for _ in (0,)]


class Specialised:
    def __init__(self, f, text):
        self.value = f(text)


def init(check):
    # Often enough for CPython to specialise the call, and to run __init__ through its shim frame from 3.13 on.
    for f in (str,) * 50 + (check,):
        Specialised(f, "__init__ of a specialised class")


def c_callbacks(check):
    sorted([2, 1], key=lambda x: check("sorted key"))
    functools.reduce(lambda a, b: check("functools.reduce"), [1, 2])
    list(map(lambda x: check("map"), [1]))
    max([1, 2], key=lambda x: check("max key"))


class Dunder:
    def __init__(self, check):
        self.check = check

    def __getattr__(self, name):
        return self.check("__getattr__")

    def __len__(self):
        self.check("__len__")
        return 1

    @property
    def prop(self):
        return self.check("property")

    def __del__(self):
        self.check("__del__")


def dunder(check):
    d = Dunder(check)
    d.missing
    len(d)
    d.prop
    del d


def exceptions(check):
    try:
        try:
            raise ValueError
        except ValueError:
            check("except")
            raise KeyError
        finally:
            check("finally")
    except KeyError:
        with_statement(check)


def with_statement(check):
    class Manager:
        def __enter__(self):
            check("__enter__")

        def __exit__(self, *args):
            check("__exit__")

    with Manager():
        check("with")


def deep(check, depth=1500):
    if depth:
        return deep(check, depth - 1)
    check("1500 deep recursion")


def größe_Ωμέγα_数_𝔘(check):
    def ñandú():
        (
            check
            (
                "non-ASCII names, call over several lines"
            )
        )

    ñandú()


def large_frames(check):
    names = "\n".join(f"    x{i} = {i}" for i in range(1200))
    namespace = {}
    exec(compile(f"def big(f):\n{names}\n    f('large frame')\n    if f: big(None) if 0 else None\n", "<größe>", "exec"), namespace)
    namespace["big"](check)


def negative_deltas(check):
    # Lines that go back inside one expression.
    [
        0,
        (lambda: check("line deltas below zero"))(),
        0,
    ][
        0
    ]


ALL = [
    plain, generators, coroutines, closures, comprehensions, init, c_callbacks, dunder, exceptions, deep,
    größe_Ωμέγα_数_𝔘, large_frames, negative_deltas,
]


def run(check):
    for function in ALL:
        function(check)
