# Allocations in the middle of what the interpreter does with frames. No call graph: the truth is the interpreter's own.


def rounds(body):
    """The setup of a target whose pass is `repeats` rounds of `body`, which gets the number of the round."""

    def setup(repeats):
        import itertools

        numbers = itertools.count()

        def one_pass():
            for _ in range(repeats):
                body(next(numbers))

        return [], [], one_pass

    return setup


# Frame push and pop: tuples for *args, dicts for **kwargs, cells, defaults, and the locals' ends when the frame is popped.
def calls(index):
    def takes(a, b=2, *rest, c=3, **named):
        cell = [a, b, rest, c, named]

        def inner(k, *more):
            nonlocal cell
            cell = [k, cell[0], more]
            return lambda: cell

        return inner(a, *rest, *rest)()

    keep = []
    for k in range(8):
        keep.append(takes(k))
        keep.append(takes(k, 1, *range(k), c=k, **{f"x{i}": i for i in range(k)}))
        keep.append([takes(i, c=str(i)) for i in range(3)])
        keep.append(sorted(range(k), key=lambda n: (n * 1.5, takes(n))[0]))
        keep.append(list(map(takes, range(k), range(k))))
    try:
        takes()  # TypeError: the frame is given up before it began
    except TypeError:
        pass
    return keep


# Generators of all kinds: made (RETURN_GENERATOR copies the frame and pops it), run, thrown into, closed, dropped.
def generators(index):
    def numbers(n):
        held = [n, str(n)]
        try:
            for i in range(n):
                got = yield (i, held)
                held = [got, i]
        finally:
            held = list(range(n))

    def outer(n):
        total = yield from numbers(n)
        yield [total]

    async def sleeps(n):
        class Wait:
            def __await__(self):
                yield [n]

        await Wait()
        return [n]

    async def agen(n):
        for i in range(n):
            yield [await sleeps(i)]

    async def collects(n):
        first = [x async for x in agen(n)]
        return first, {k: [k] for k in range(n)}

    for n in range(1, 6):
        list(numbers(n))
        list(outer(n))
        half = outer(n)
        next(half)
        half.send(None) if n > 1 else None
        half.close()
        thrown = outer(n)
        next(thrown)
        try:
            thrown.throw(ValueError, ValueError(str(n))) if n % 2 else thrown.throw(ValueError([n]))
        except ValueError:
            pass
        dropped = numbers(n)
        next(dropped)
        del dropped
        never = numbers(n)
        del never
        coroutine = collects(n)
        try:
            while True:
                coroutine.send(None)
        except StopIteration as stop:
            stop.value
        closed = collects(n)
        closed.send(None)
        closed.close()
        sum(x * 1.5 for x in range(n))
        {str(x): [y for y in range(x)] for x in range(n)}


# Frame objects: made, kept beyond their frame (take_ownership), asked for back, line and locals, and dropped.
def frames(index):
    import sys

    kept = []

    def leaf(n):
        local = [n, str(n)]
        kept.append(sys._getframe())
        if n % 3 == 0:
            kept.append(sys._getframe(1).f_back)
        return local

    def generator(n):
        yield leaf(n)
        kept.append(sys._getframe())
        yield n

    def fails(n):
        local = [n]
        if n == 0:
            raise ValueError(str(n))
        fails(n - 1)
        return local

    def closes(n):
        cell = [n]
        kept.append(sys._getframe())
        return lambda: cell

    for n in range(6):
        leaf(n)
        list(generator(n))
        closes(n)
        try:
            fails(n)
        except ValueError as error:
            kept.append(error.__traceback__)
            kept.append(error)
    for item in kept:
        if hasattr(item, "f_locals"):
            dict(item.f_locals), item.f_lineno, item.f_back
            try:
                item.clear()
            except RuntimeError:
                pass
    kept.clear()


# Collection at nearly every allocation of a container, with destructors and callbacks that allocate and call.
def collected(index):
    import gc, weakref

    class Node:
        def __init__(self, n):
            self.me, self.n = self, n

        def __del__(self):
            self.note = [str(self.n), helper(self.n % 4)]

    def helper(n):
        return [helper(n - 1)] if n else {}

    def gone(reference):
        helper(2)

    def generator(n):
        node = Node(n)
        yield node
        yield [node]

    def closure(n):
        cell = Node(n)
        return lambda: cell

    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        references = []
        for n in range(6):
            references.append(weakref.ref(Node(n), gone))
            next(generator(n))
            closure(n)()
            list(generator(n))
            weakref.finalize(Node(n), helper, 1)
    finally:
        gc.set_threshold(*before)
    if index % 10 == 0:
        gc.collect()


# Modules: found, read, unmarshalled, run, dropped with their code objects.
def imports(index):
    import importlib, sys

    names = ["colorsys", "textwrap", "this_is_not_there", "quopri", "string", "heapq", "json.scanner", "stat", "bisect"]
    name = names[index % len(names)]
    kept = sys.modules.pop(name, None)
    try:
        importlib.import_module(name)
    except ImportError:
        pass
    sys.modules.pop(name, None)
    if kept is not None:
        sys.modules[name] = kept


# Threads: their states, stacks, locks and thread-local values come and go.
def threads(index):
    import threading

    local = threading.local()

    class Farewell:
        def __del__(self):
            [str(n) for n in range(3)]

    lock = threading.RLock()
    condition = threading.Condition(lock)
    done = []

    def body(n):
        local.farewell, local.data = Farewell(), {n: [n]}
        threading.current_thread().name
        with condition:
            done.append(list(range(n)))
            condition.notify_all()

    started = [threading.Thread(target=body, args=(n,)) for n in range(2)]
    for thread in started:
        thread.start()
    with condition:
        condition.wait_for(lambda: len(done) == len(started), 5)
    for thread in started:
        thread.join()


# Exceptions through frames of all sorts.
def unwind(index):
    import contextlib, functools

    @contextlib.contextmanager
    def manager(n):
        held = [n]
        try:
            yield held
        finally:
            held.append([str(n)])

    def raises(n):
        if n == 0:
            raise KeyError([n], {"n": n})
        with manager(n):
            try:
                raises(n - 1)
            finally:
                [n, [n]]

    def converts(n):
        try:
            raises(n)
        except KeyError as error:
            raise RuntimeError(f"{n} {error!r}") from error

    def compares(a, b):
        if a == 3:
            raises(1)
        return a - b

    for n in range(5):
        try:
            converts(n)
        except RuntimeError as error:
            str(error), error.__cause__, error.__context__
        try:
            sorted([5, 3, 1], key=functools.cmp_to_key(compares))
        except KeyError:
            pass
        try:
            raise ExceptionGroup("all", [ValueError(n), KeyError(n)])
        except* ValueError as group:
            group.exceptions
        except* KeyError:
            [n]
        try:
            {}[n] if n % 2 else [][n]
        except LookupError as error:
            error.__traceback__.tb_lineno


# Classes: made, their __init__ specialised and inlined, attributes of all kinds, dropped.
def classes(index):
    class Meta(type):
        def __new__(cls, name, bases, body, **named):
            body["added"] = [name]
            return super().__new__(cls, name, bases, body)

    class Base(metaclass=Meta):
        __slots__ = ("a", "b")

        def __init__(self, a, b=None):
            self.a, self.b = [a], {a: b}

        def __init_subclass__(cls, **named):
            cls.registered = list(named)

        @property
        def both(self):
            return [self.a, self.b]

        def __getattr__(self, name):
            return [name]

        def __eq__(self, other):
            return [self.a] == [other.a]

        def __hash__(self):
            return hash(tuple(self.a))

        def __iter__(self):
            yield from self.both

    class Derived(Base, key=1):
        def __init__(self, a):
            super().__init__(a, b=[a])
            self.extra = str(a)

    class Plain:
        def __init__(self, a):
            self.a = [a]

    for n in range(20):  # enough for the specialiser
        Plain(n), Base(n), Derived(n)
    for n in range(4):
        one, other = Derived(n), Derived(n + 1)
        one.both, one.missing, one == other, {one: other}, list(one)
        type(f"Made{n}", (Plain,), {"n": n, "__repr__": lambda self: f"{self.a}"})(n).__repr__()


# Fresh code: compiled, run, dropped; a function whose code is replaced while it runs.
def fresh(index):
    source = "\n".join(
        ["def f(a, *rest, **named):", "    x = [a, rest]"]
        + [f"    x.append([{i}, str(a)])" for i in range(index % 30)]
        + ["    return [x, named, (lambda: x)()]", "value = f(1, 2, k=3)", "values = [f(i) for i in range(3)]"]
    )
    namespace = {}
    exec(compile(source, f"<fresh {index}>", "exec"), namespace)
    eval("[str(n) for n in range(5)]", {})

    exec("def replaced(g, n):\n    before = [n]\n    replaced.__code__ = g.__code__\n    return [before, str(n)]", namespace)
    exec("def other(g, n):\n    return [g, [n]]", namespace)
    namespace["replaced"](namespace["other"], index)
    namespace["replaced"](None, index)
    namespace["f"].__code__.replace(co_name=f"other{index}").co_lines()


# Recursion across data-stack chunks: frames with many locals, few of them a chunk; plain, through a generator and through C.
def setup_alloc_deep(repeats):
    names = " = ".join(f"x{i}" for i in range(300))
    source = f"""
def deep(n, k):
    {names} = [n]
    if n == 0:
        return [k]
    if n % 5 == 1:
        return list(map(deep, [n - 1], [k]))
    if n % 5 == 2:
        return [x for x in through(n - 1, k)]
    return [deep(n - 1, k)]

def through(n, k):
    {names} = [n]
    yield deep(n, k)
    yield [x0]
"""
    namespace = {}
    exec(compile(source, "<deep>", "exec"), namespace)

    def one_pass():
        for index in range(repeats):
            namespace["deep"](25 * index % 80, index)  # up to about 100 frames

    return [], [], one_pass


# Tracing and profiling: lines from an instrumented table, frames that are asked for their line, code that is rewritten.
def traced(index):
    import sys

    seen = []

    def tracer(frame, event, argument):
        seen.append((event, frame.f_lineno))
        frame.f_trace_opcodes = index % 4 == 0
        return tracer

    def works(n):
        total = [n]
        for i in range(n):
            total = [i, str(total[0])]
        return list(gen(n)) + total

    def gen(n):
        try:
            yield [n]
            yield works(n - 1) if n else []
        except ValueError:
            yield n

    install = sys.setprofile if index % 3 == 2 else sys.settrace
    works(2)
    install(tracer)
    try:
        works(3)
        sys.settrace(None) if index % 2 else None
        works(2)
    finally:
        install(None)
        sys.settrace(None)
    works(2)


# Interpreters of their own, with and without a GIL of their own where the version has that.
def setup_alloc_interpreters(repeats):
    try:
        import _interpreters as interpreters
    except ImportError:
        import _xxsubinterpreters as interpreters

    run = getattr(interpreters, "run_string")
    source = "def f(n):\n    return [n, [str(i) for i in range(n)]]\n[f(n) for n in range(20)]\nimport types\n"

    def one_pass():
        made = interpreters.create()
        run(made, source)
        interpreters.destroy(made)

    return [], [], one_pass


# The end: destructors, callbacks, suspended generators and daemon threads that allocate, while everything is taken down.
def setup_alloc_finalize(repeats):
    import _thread, atexit, gc, sys, types, weakref

    kept = []

    def helper(n):
        return [helper(n - 1), str(n)] if n else {}

    class Farewell:
        def __init__(self):
            self.me = self

        def __del__(self):
            [helper(3) for _ in range(3)]

    def suspended():
        try:
            yield Farewell()
        finally:
            helper(4)

    def daemon():
        while True:
            helper(5)

    def one_pass():
        if not kept:
            atexit.register(helper, 5)
            _thread.start_new_thread(daemon, ())
            _thread.start_new_thread(daemon, ())
        for index in range(repeats):
            module = types.ModuleType(f"kept{index}{len(kept)}")
            module.farewell, module.generator = Farewell(), suspended()
            next(module.generator)
            sys.modules[module.__name__] = module
            weakref.finalize(module, helper, 3)
            kept.append((Farewell(), weakref.ref(module, lambda _: helper(2))))
            if len(kept) > 50:
                sys.modules.pop(module.__name__)
                kept.pop()

    return [], [], one_pass


setup_alloc_calls = rounds(calls)
setup_alloc_generators = rounds(generators)
setup_alloc_frames = rounds(frames)
setup_alloc_gc = rounds(collected)
setup_alloc_imports = rounds(imports)
setup_alloc_threads = rounds(threads)
setup_alloc_unwind = rounds(unwind)
setup_alloc_classes = rounds(classes)
setup_alloc_exec = rounds(fresh)
setup_alloc_trace = rounds(traced)
