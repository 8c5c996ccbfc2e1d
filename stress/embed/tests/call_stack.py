# Stacks whose text must be faulthandler's. `check(name)` compares; the names of `NAMES` are given to functions that call
# one another, so that one stack has them all.
import sys
import types


def function(filename, name, line=1):
    """A function of one argument that calls it, with any name in any file."""
    module = compile("\n" * (line - 1) + "def f(then): then()", "x", "exec")
    code = next(const for const in module.co_consts if isinstance(const, types.CodeType))
    return types.FunctionType(code.replace(co_filename=filename, co_name=name), globals())


NAMES = [
    ("plain.py", "plain"),
    ("größe.py", "ñandú"),
    ("Ωμέγα/数.py", "δ"),
    ("𝔘/🐍.py", "𝔘"),
    ('quo"te", line 7 in x.py', 'na"me'),
    ("back\\slash\n.py", "tab\tbell\x07del\x7fnel\x85"),
    ("lone \ud800 and \udcff.py", "\udfff"),
    ("nul\0inside.py", "\0"),
    ("", ""),
    ("<frozen>", ""),
    ("", "<lambda>"),
    ("x" * 499, "y" * 500),
    ("x" * 501, "y" * 5000),
    ("x" * 499 + "\n", "y" * 498 + "é"),
    ("ä" * 125, "ä" * 126),
    ("Ω" * 600, "🐍" * 51),
    ("ab" + "🐍" * 50, "a" + "Ω" * 83 + "b"),
]


def call(functions, then):
    """Calls the first with a call of the others."""
    if functions:
        functions[0](lambda: call(functions[1:], then))
    else:
        then()


def names(check):
    for filename, name in NAMES:
        function(filename, name)(lambda: check(f"one name: {name[:20]!r}"))
    call([function(*names, line=line) for line, names in enumerate(NAMES, 1)], lambda: check("all names"))


def lines(check):
    for line in (1, 127, 128, 65536, 1_000_000):
        function("lines.py", "at", line)(lambda: check(f"line {line}"))


def generators(check):
    def inner():
        check("generator")
        yield 1
        check("generator, resumed")

    def outer():
        yield from inner()

    list(outer())
    list(x for x in (check("generator expression") for _ in "ab"))

    async def leaf():
        check("coroutine")

    async def root():
        await leaf()

    try:
        root().send(None)
    except StopIteration:
        pass


def callbacks(check):
    sorted([2, 1], key=lambda x: check("sorted key"))
    list(map(lambda x: check("map"), [1]))
    [check("comprehension") for _ in "a"]
    eval(compile("check('eval')", "<eval>", "eval"), {"check": check})


def recursion(check, depth):
    if depth:
        recursion(check, depth - 1)
    else:
        check(f"recursion {sys._getframe().f_code.co_name}")


def deep(check):
    for depth in (90, 150, 3000):
        recursion(check, depth)


def run(check):
    for stack in (names, lines, generators, callbacks, deep):
        stack(check)


def crash(die):
    """Dies below generators, names and recursion."""

    def generator():
        function("größe.py", "𝔘")(lambda: recursion(die, 20))
        yield 1

    next(generator())
